#pragma once
#include <onedge/linalg/vector.hpp>
#include <onedge/spectrum/shard_layout.hpp>

#include <memory>

namespace onedge::spectrum {

/// What all sharded vectors of one length share: their layout, the memory that they come from and go back to (so that
/// a solve allocates nothing that an earlier one had), partial sums of inner products, a count of random draws.
template <class Real, class Space>
class VectorPool {
 public:
  VectorPool(comm::Communicator const& communicator, std::size_t length) : m_layout(communicator, length) {}

  ShardLayout const& layout() const { return m_layout; }
  /// Memory for that many columns, [columns, local], contents unset; free again when nobody else holds it.
  std::shared_ptr<Matrix<Real, Space>> take(int columns);
  /// ⟨a, b⟩ of this rank's slices, chunk by chunk.
  linalg::InnerProducts<Real, Space>& inner_products() { return m_inner_products; }
  /// Numbers draws of random vectors, from 0 after restart_draws(): another one at every call.
  std::uint64_t next_draw() { return m_draws++; }
  void restart_draws() { m_draws = 0; }

 private:
  ShardLayout m_layout;
  std::vector<std::shared_ptr<Matrix<Real, Space>>> m_storages;
  linalg::InnerProducts<Real, Space> m_inner_products{Space()};
  std::uint64_t m_draws = 0;
};

}  // namespace onedge::spectrum
