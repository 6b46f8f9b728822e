#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/kokkos.hpp>

#include <memory>
#include <vector>

namespace onedge::spectrum {

/// How vectors of one length are spread over ranks: contiguous slices that begin on multiples of linalg::chunk, so that
/// inner products have the same bits on any number of ranks. A rank may own nothing.
class ShardLayout {
 public:
  ShardLayout(comm::Communicator const& communicator, std::size_t length);

  comm::Communicator const& communicator() const { return *m_communicator; }
  std::size_t length() const { return m_length; }
  /// Elements of every rank.
  std::vector<std::size_t> const& counts() const { return m_counts; }
  /// First element of this rank, and how many it owns.
  std::size_t first() const { return m_first; }
  std::size_t local() const { return m_counts[static_cast<std::size_t>(m_communicator->rank())]; }
  /// Chunks of all ranks, and the first of this rank.
  std::size_t chunks() const { return m_chunks; }
  std::size_t first_chunk() const { return m_first_chunk; }

 private:
  comm::Communicator const* m_communicator;
  std::size_t m_length;
  std::vector<std::size_t> m_counts;
  std::size_t m_first = 0;
  std::size_t m_chunks = 0;
  std::size_t m_first_chunk = 0;
};

/// Some vectors of one layout, each rank holding its slice of every one: [columns, local] in the memory of Space.
/// Copies share the storage; select() gives a view of some columns. Small matrices are row-major, on the host, in
/// double.
template <class Real, class Space>
class ShardedVectors {
 public:
  /// Zeros.
  ShardedVectors(std::shared_ptr<ShardLayout const> layout, int columns);

  /// The same memory, these columns; an index may stand once.
  ShardedVectors select(std::vector<int> const& columns) const;

  int columns() const { return static_cast<int>(m_columns.size()); }
  std::shared_ptr<ShardLayout const> const& layout() const { return m_layout; }
  /// This rank's slice of a column.
  VectorWindow<Real, Space> column(int index) const;

  /// this ← Σ_k alpha · a_k b(k, j) + beta · this, b [a.columns(), columns()]; beta = 0 overwrites.
  void multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b, double beta);
  /// this ← alpha · a + beta · b; both may be this.
  void combine(double alpha, ShardedVectors const& a, double beta, ShardedVectors const& b);
  /// Column j times factors[j].
  void scale(std::vector<double> const& factors);
  void fill(double value);
  void copy(ShardedVectors const& other);
  /// Standard normal entries: a function of (seed, draw, column, element) alone, whatever the ranks.
  void randomise(std::uint64_t seed, std::uint64_t draw);

  /// ⟨a_i, this_j⟩ for all pairs, [a.columns(), columns()]; the same bits on every rank and number of ranks.
  /// Collective.
  std::vector<double> inner_products(ShardedVectors const& a) const;
  /// ⟨a_j, this_j⟩. Collective.
  std::vector<double> dots(ShardedVectors const& a) const;

 private:
  std::vector<double> sum_pairs(
      std::vector<std::pair<VectorWindow<Real, Space>, VectorWindow<Real, Space>>> const&) const;
  bool overlaps(ShardedVectors const& other) const { return m_storage.data() == other.m_storage.data(); }
  ShardedVectors clone() const;

  std::shared_ptr<ShardLayout const> m_layout;
  Matrix<Real, Space> m_storage;
  std::vector<int> m_columns;
};

}  // namespace onedge::spectrum
