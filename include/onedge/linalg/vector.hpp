#pragma once
// Kernels on flat vectors (parameters, gradients, directions).
#include <onedge/core/kokkos.hpp>

#include <utility>
#include <vector>

namespace onedge::linalg {

/// Length of the chunks in which inner products are summed. Slices of sharded vectors begin on multiples of it.
inline constexpr std::size_t chunk = 4096;

/// Inner products of flat vectors in double, in chunks of 4096 added in a fixed binary tree, so that the bits do not
/// depend on how the vectors are spread over ranks. Owns the partial sums: no allocation after the first call.
template <class Real, class Space>
class InnerProducts {
 public:
  using Operand = VectorWindow<Real const, Space>;

  explicit InnerProducts(Space const& space) : m_space(space) {}
  /// ⟨a, b⟩ for every pair, in one sweep. All vectors have one length.
  std::vector<double> operator()(std::vector<std::pair<Operand, Operand>> const& pairs);
  /// The sums of the chunks, before the tree: [pairs, chunks].
  std::vector<double> chunk_sums(std::vector<std::pair<Operand, Operand>> const& pairs);

 private:
  Space m_space;
  void sum_chunks(std::vector<std::pair<Operand, Operand>> const& pairs);

  Matrix<double, Space> m_partial;  // [pair, chunk]
  Vector<double, Space> m_sums;     // of pairs, on devices
  typename Matrix<double, Space>::HostMirror m_partial_host;
  typename Vector<double, Space>::HostMirror m_sums_host;
};

/// The sum of the values in a fixed binary tree over their index.
double tree_sum(std::vector<double> const& values);

/// result ← a + scale · b; result may be a or b.
template <class Real, class Space>
void add_scaled(Space const& space, VectorWindow<Real const, Space> a, Real scale, VectorWindow<Real const, Space> b,
                VectorWindow<Real, Space> result);

/// Elements of `work` for the column sums of a matrix: devices first sum parts of the rows side by side.
template <class Space>
std::size_t column_sum_work(std::size_t rows, std::size_t columns);

/// sums[j] += Σ_rows values(row, j), in a fixed order.
template <class Real, class Space>
void add_column_sums(Space const& space, MatrixWindow<Real const, Space> values, VectorWindow<Real, Space> sums,
                     VectorWindow<Real, Space> work);

/// sums[j] += Σ_rows a(row, j) b(row, j), in a fixed order.
template <class Real, class Space>
void add_column_products(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                         VectorWindow<Real, Space> sums, VectorWindow<Real, Space> work);

/// result ← Σ a(i, j) b(i, j), in double; `result` lives in the memory of Space, so nothing waits for it.
template <class Real, class Space>
void contract_into(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                   Kokkos::View<double, typename Space::memory_space> result);

}  // namespace onedge::linalg
