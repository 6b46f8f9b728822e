#pragma once
#include <onedge/spectrum/vector_pool.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace onedge::spectrum {

/// Some vectors of one length, each rank holding its slice of every one: [columns, local] in the memory of Space.
/// Copies share the storage; select() gives a view of some columns. Small matrices are row-major, on the host, in
/// double.
template <class Real, class Space>
class ShardedVectors {
 public:
  using Pool = VectorPool<Real, Space>;

  /// Contents unset.
  ShardedVectors(std::shared_ptr<Pool> pool, int columns);

  /// The same memory, these columns; an index may stand once.
  ShardedVectors select(std::vector<int> const& columns) const;
  /// A copy with memory of its own.
  ShardedVectors clone() const;

  int columns() const { return static_cast<int>(m_columns.size()); }
  std::shared_ptr<Pool> const& pool() const { return m_pool; }
  ShardLayout const& layout() const { return m_pool->layout(); }
  /// This rank's slice of a column, and of all columns.
  VectorWindow<Real, Space> column(int index) const;
  std::vector<VectorWindow<Real, Space>> slices() const;

  /// this ← Σ_k alpha · a_k b(k, j) + beta · this, b [a.columns(), columns()]; beta = 0 overwrites.
  void multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b, double beta);
  /// this ← alpha · a + beta · b; both may be this.
  void combine(double alpha, ShardedVectors const& a, double beta, ShardedVectors const& b);
  /// Column j times factors[j].
  void scale(std::vector<double> const& factors);
  /// Every column times the first column of `diagonal`, element by element.
  void multiply_elements(ShardedVectors const& diagonal);
  void fill(double value);
  void copy(ShardedVectors const& other);
  /// Standard normal entries: a function of (seed, draw, column, element) alone, whatever the ranks.
  void randomise(std::uint64_t seed, std::uint64_t draw);
  /// Entries ±1 by chance, as above, in a fraction of the time.
  void randomise_signs(std::uint64_t seed, std::uint64_t draw);

  /// ⟨a_i, this_j⟩ for all pairs, [a.columns(), columns()]; the same bits on every rank and number of ranks.
  /// Collective.
  std::vector<double> inner_products(ShardedVectors const& a) const;
  /// ⟨a_j, this_j⟩. Collective.
  std::vector<double> dots(ShardedVectors const& a) const;

 private:
  using Operand = VectorWindow<Real const, Space>;
  std::vector<double> sum_pairs(std::vector<std::pair<Operand, Operand>> const& pairs) const;
  bool overlaps(ShardedVectors const& other) const { return m_storage == other.m_storage; }

  std::shared_ptr<Pool> m_pool;
  std::shared_ptr<Matrix<Real, Space>> m_storage;
  std::vector<int> m_columns;
};

}  // namespace onedge::spectrum
