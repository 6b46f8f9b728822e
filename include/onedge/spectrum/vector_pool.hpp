#pragma once
#include <onedge/linalg/vector.hpp>
#include <onedge/spectrum/shard_layout.hpp>
#include <onedge/spectrum/vector_task.hpp>

#include <limits>
#include <memory>
#include <vector>

namespace onedge::spectrum {

/// What all sharded vectors of one length share: their layout, the memory that they come from and go back to (so that
/// a solve allocates nothing that an earlier one had), partial sums of inner products, a count of random draws.
///
/// Vectors are handed out one by one and numbered. Ranks that do the same take the same numbers. Inside direct() only
/// rank 0 decides: vectors that it takes there have numbers of their own, −1, −2, …, and each of its operations is
/// done by all ranks.
template <class Real, class Space>
class VectorPool {
 public:
  /// This rank's slice of one vector.
  struct Slot {
    std::int64_t number;
    Vector<Real, Space> values;
  };

  /// `reproducible`: inner products have the same bits on any number of ranks; otherwise a rank sends one number for
  /// each of them instead of one for every chunk.
  explicit VectorPool(comm::Communicator const& communicator, std::size_t length, bool reproducible = true)
      : m_layout(communicator, length), m_reproducible(reproducible) {}

  ShardLayout const& layout() const { return m_layout; }
  /// Memory for one vector, contents unset; free again when nobody else holds it.
  std::shared_ptr<Slot> take();
  /// Vectors that have memory, in use or free.
  std::size_t resident() const { return m_shared.size() + m_directed.size(); }

  /// Does an operation; inside a directed part, with all other ranks. Returns the inner products that it asked for, the
  /// same bits on every rank. Collective.
  std::vector<double> perform(VectorTask const& task);

  /// A part that rank 0 directs: it calls announce() before what all are to do, and the others await() it.
  void set_directed(bool directed) { m_is_directed = directed; }
  void announce(VectorTask const& task) const;
  VectorTask await() const;
  /// The vector of a number that rank 0 has named.
  std::shared_ptr<Slot> slot(std::int64_t number);

  /// Operations that may follow before is_overdrawn(): solvers that never ask for a product again are found out so.
  void allow(std::int64_t operations) { m_allowed = operations; }
  static constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();
  bool is_overdrawn() const { return m_allowed < 0; }

  /// Numbers draws of random vectors, from 0 after restart_draws(): another one at every call.
  std::uint64_t next_draw() { return m_draws++; }
  void restart_draws() { m_draws = 0; }

 private:
  using Slots = std::vector<std::shared_ptr<Slot>>;
  using Operand = VectorWindow<Real const, Space>;

  std::shared_ptr<Slot> add(Slots& slots, std::int64_t number);
  std::vector<VectorWindow<Real, Space>> windows(std::vector<std::int64_t> const& numbers);
  std::vector<double> inner_products(VectorTask const& task);
  void randomise(VectorTask const& task);
  void randomise_signs(VectorTask const& task);

  ShardLayout m_layout;
  bool m_reproducible;
  bool m_is_directed = false;
  Slots m_shared, m_directed;
  linalg::InnerProducts<Real, Space> m_inner_products{Space()};
  std::int64_t m_allowed = any_number;
  std::uint64_t m_draws = 0;
};

}  // namespace onedge::spectrum
