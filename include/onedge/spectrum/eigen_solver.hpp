#pragma once
#include <onedge/spectrum/operator.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace onedge::spectrum {

struct SolverOptions {
  std::string kind = "krylov_schur";     ///< krylov_schur | lobpcg | davidson (Anasazi's), power
  double tolerance = 2e-3;               ///< of ‖Av − λv‖/|λ|; power: of the relative change of λ
  std::int64_t maximum_products = 1000;  ///< of A with a vector, after which the best values are taken as they are
  int block = 0;                         ///< vectors that A is applied to at once, at most count; 0: count

  /// Vectors at once for that many eigenvalues; lobpcg always takes all.
  int width(int count) const;
  /// Whether a matrix of that many rows leaves room for a Krylov space around that many eigenvectors.
  bool fits(int count, std::size_t length) const;
  /// Vectors that a solve keeps at most.
  int vectors(int count) const;
};

/// Names of the solvers, the default first.
std::vector<std::string> solver_names();

/// Approximate eigenpairs of a symmetric operator.
template <class Real, class Space>
struct EigenPairs {
  std::vector<double> values;           ///< largest algebraic ones, descending
  std::vector<double> residuals;        ///< ‖Av − λv‖/|λ| as the solver knows it, without another product
  std::vector<bool> converged;          ///< residual within the tolerance
  ShardedVectors<Real, Space> vectors;  ///< orthonormal, in the order of the values; none where the solver gave up
  std::int64_t products = 0;            ///< of A with a vector
};

/// The `count` largest algebraic eigenvalues of A, from the columns of `initial`, options.width(count) of them (any
/// vectors, best those of a similar operator; linearly dependent ones are replaced). Of a multiple eigenvalue as many
/// copies are found as A is applied to vectors at once. Not reaching the tolerance is no error. `power` finds one
/// eigenvalue, the largest in magnitude. Throws Error for an unknown kind, more eigenvalues than dimensions, `power`
/// with several; NaN in the operator gives NaN. Collective.
///
/// krylov_schur: Stewart 2001; lobpcg: Knyazev 2001; davidson: block Davidson without preconditioner; see Baker,
/// Hetmaniuk, Lehoucq, Thornquist 2009 for Anasazi.
template <class Real, class Space>
EigenPairs<Real, Space> solve(Operator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial, int count,
                              SolverOptions const& options);

}  // namespace onedge::spectrum
