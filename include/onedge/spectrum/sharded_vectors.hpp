#pragma once
#include <onedge/spectrum/vector_pool.hpp>

#include <memory>
#include <vector>

namespace onedge::spectrum {

/// Some vectors of one length, each rank holding its slice of every one, in the memory of Space. Copies share the
/// memory; select() gives a view of some columns. Small matrices are row-major, on the host, in double.
///
/// All operations are collective, but for those of rank 0 in a part that it directs (direct.hpp).
template <class Real, class Space>
class ShardedVectors {
 public:
  using Pool = VectorPool<Real, Space>;

  /// Contents unset.
  ShardedVectors(std::shared_ptr<Pool> pool, int columns);
  /// The vectors of these numbers.
  ShardedVectors(std::shared_ptr<Pool> pool, std::vector<std::int64_t> const& numbers);

  /// The same memory, these columns; an index may stand once.
  ShardedVectors select(std::vector<int> const& columns) const;
  /// The same memory, `count` columns from `first` on.
  ShardedVectors range(int first, int count) const;
  /// A copy with memory of its own.
  ShardedVectors clone() const;

  int columns() const { return static_cast<int>(m_columns.size()); }
  std::shared_ptr<Pool> const& pool() const { return m_pool; }
  ShardLayout const& layout() const { return m_pool->layout(); }
  /// This rank's slice of a column, and of all columns.
  VectorWindow<Real, Space> column(int index) const;
  std::vector<VectorWindow<Real, Space>> slices() const;
  /// In the pool.
  std::vector<std::int64_t> numbers() const;

  /// this ← Σ_k alpha · a_k b(k, j) + beta · this, b [a.columns(), columns()]; beta = 0 overwrites.
  void multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b, double beta);
  /// this ← alpha · a + beta · b; both may be this. A factor 0 leaves its vectors unread.
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

  /// ⟨a_i, this_j⟩ for all pairs, [a.columns(), columns()]; the same bits on every rank.
  std::vector<double> inner_products(ShardedVectors const& a) const;
  /// ⟨a_j, this_j⟩.
  std::vector<double> dots(ShardedVectors const& a) const;
  /// ‖this_j‖.
  std::vector<double> norms() const;

 private:
  using Columns = std::vector<std::shared_ptr<typename Pool::Slot>>;
  /// Whether writing column after column here would change one of other's that is still to be read.
  bool disturbs(ShardedVectors const& other) const;

  std::shared_ptr<Pool> m_pool;
  Columns m_columns;
};

}  // namespace onedge::spectrum
