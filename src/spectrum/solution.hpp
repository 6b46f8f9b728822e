#pragma once
// What solvers share on the rank that directs.
#include <onedge/spectrum/eigen_solver.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "direct.hpp"

namespace onedge::spectrum {

/// An inner product is infinite or not a number: LAPACK must not see it.
struct NotFinite : std::runtime_error {
  NotFinite() : std::runtime_error("the eigen-solver met a value that is not finite") {}
};

inline std::vector<double> checked(std::vector<double> products) {
  if (!std::all_of(products.begin(), products.end(), [](double value) { return std::isfinite(value); })) {
    throw NotFinite();
  }
  return products;
}

/// Blocks of a Krylov basis before a restart, which keeps the wanted vectors and extra_blocks more.
inline int krylov_blocks(int count, int width) { return std::max(20, 3 * ((count + width - 1) / width)); }
constexpr int extra_blocks = 4;
/// Columns of the basis of rayleigh_ritz() before a restart, in a large space.
inline int ritz_columns(int count, int width) { return std::max(10 * width, count + 4 * width); }

/// Approximate eigenpairs, the largest first; fewer than wanted where a solver had no more.
template <class Real, class Space>
struct Solution {
  std::vector<double> values;
  std::vector<double> residuals;  ///< ‖Av − λv‖
  double norm = 0;                ///< of A, from below
  ShardedVectors<Real, Space> vectors;
  std::string solver;  ///< that gave them
  bool stopped = false;
};

/// When a pair is good enough: ‖Av − λv‖ ≤ max(tolerance · max(|λ|, √ε ‖A‖), k ε ‖A‖), with ε of the vectors'
/// precision, k = 10 for float and 100 for double. Below √ε ‖A‖ an eigenvalue counts as zero, which no relative error
/// can reach; kε is what rounding makes of an exact eigenvector.
template <class Real>
struct Accuracy {
  double tolerance = 0;
  static constexpr double epsilon = std::numeric_limits<Real>::epsilon();
  static constexpr double rounding = (sizeof(Real) == 4 ? 10 : 100) * epsilon;

  bool meets(double residual, double value, double norm) const {
    return residual <= std::max(tolerance * std::max(std::abs(value), std::sqrt(epsilon) * norm), rounding * norm);
  }
};

/// All eigenvalues and eigenvectors of a symmetric matrix, row-major [n, n], largest first.
struct Eigenbasis {
  std::vector<double> values;
  std::vector<double> vectors;  ///< [n, n], column j belongs to value j

  /// The first `count` columns, [n, count].
  std::vector<double> first(int count) const;
};
/// Of (A + Aᵀ)/2. Throws NotFinite.
Eigenbasis eigenbasis(std::vector<double> const& matrix, int n);

/// Rayleigh-Ritz in a basis that grows by the residuals of what is wanted (block Davidson without preconditioner, which
/// spans what Lanczos spans), orthogonalised in full with thresholds of the vectors' own precision; what is linearly
/// dependent is replaced by random vectors. Keeps A times the basis, so that residuals are computed and not
/// extrapolated. Slower than Krylov-Schur and twice as large, but right in spaces that are exhausted, and small enough
/// to fill them: in n dimensions it ends as a dense solve from n products. Begins with `initial`.
template <class Real, class Space>
Solution<Real, Space> rayleigh_ritz(DirectedOperator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial,
                                    int count, SolverOptions const& options);

/// Anasazi's solvers. Where one ends without the pairs that it should have (an exhausted Krylov space, a loop without
/// end, an exception), `initial` of rayleigh_ritz() stands in `vectors`, and `values` is empty.
template <class Real, class Space>
Solution<Real, Space> solve_by_anasazi(DirectedOperator<Real, Space> const& a,
                                       ShardedVectors<Real, Space> const& initial, int count,
                                       SolverOptions const& options);

}  // namespace onedge::spectrum
