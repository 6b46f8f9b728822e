#pragma once
#include <onedge/spectrum/eigen_solver.hpp>

#include <optional>

namespace onedge::spectrum {

/// Follows the largest eigenvalues of an operator that changes little from one measurement to the next.
///
/// A solve starts from the eigenvectors of the last one; the first of them is joined by a hint (the gradient, which
/// lies mostly in the top eigenvectors' span, Gur-Ari, Roberts, Dyer 2018), and all by a tenth of noise, so that an
/// eigenvector that has risen from below is never out of reach.
template <class Real, class Space>
class EigenTracker {
 public:
  using Vectors = ShardedVectors<Real, Space>;

  EigenTracker(SolverOptions options, int count, std::uint64_t seed)
      : m_options(std::move(options)), m_count(count), m_seed(seed) {}

  /// `hint`: one column, any scale; zero is no hint. `draw` numbers the noise: the result is a function of operator,
  /// hint, draw and the vectors of the last measurement. Collective.
  EigenPairs<Real, Space> measure(Operator<Real, Space> const& a, Vectors const& hint, std::uint64_t draw);

  /// Eigenvalues wanted.
  int count() const { return m_count; }
  void set_count(int count) { m_count = count; }
  /// The orthonormal eigenvectors of the last measurement; none before the first.
  std::optional<Vectors> const& vectors() const { return m_vectors; }
  void set_vectors(Vectors vectors) { m_vectors = std::move(vectors); }

 private:
  Vectors start(Vectors const& hint, std::uint64_t draw) const;

  SolverOptions m_options;
  int m_count;
  std::uint64_t m_seed;
  std::optional<Vectors> m_vectors;
};

}  // namespace onedge::spectrum
