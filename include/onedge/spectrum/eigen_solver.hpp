#pragma once
#include <onedge/spectrum/operator.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace onedge::spectrum {

struct SolverOptions {
  std::string kind = "krylov_schur";     ///< krylov_schur | lobpcg | davidson (Anasazi's), power, rayleigh_ritz
  double tolerance = 2e-3;               ///< of ‖Av − λv‖/|λ|; power: of the relative change of λ
  std::int64_t maximum_products = 1000;  ///< of A with a vector, after which the best values are taken as they are
  int block = 0;                         ///< vectors that A is applied to at once, at most count; 0: count
  /// Asked before every product; true ends the solve with its best values. Collective, the same on every rank.
  std::function<bool()> stop = {};

  /// Vectors at once for that many eigenvalues; lobpcg always takes all.
  int width(int count) const;
  /// Vectors that a solve keeps at most, beside those that it begins with.
  int vectors(int count) const;
};

/// Names of the solvers, the default first.
std::vector<std::string> solver_names();

/// Approximate eigenpairs of a symmetric operator.
template <class Real, class Space>
struct EigenPairs {
  std::vector<double> values;     ///< largest algebraic ones, descending
  std::vector<double> residuals;  ///< ‖Av − λv‖/max(|λ|, ε‖A‖), at least ε‖A‖/|λ|, ε that of Real
  std::vector<bool> converged;  ///< ‖Av − λv‖ ≤ max(tolerance · max(|λ|, √ε ‖A‖), k ε ‖A‖), k = 10 (double: 100)
  ShardedVectors<Real, Space> vectors;  ///< orthonormal, in the order of the values; none where a solver had none
  std::int64_t products = 0;            ///< of A with a vector
  std::string solver = {};              ///< that gave the values: options.kind, or rayleigh_ritz where that failed
  bool stopped = false;                 ///< options.stop has ended the solve
};

/// The `count` largest algebraic eigenvalues of A, from the columns of `initial`, options.width(count) of them (any
/// vectors, best those of a similar operator; linearly dependent ones are replaced). Any count up to the dimension. Of
/// a multiple eigenvalue as many copies are found as A is applied to vectors at once. Not reaching the tolerance is no
/// error, and no solve takes more than options.maximum_products. `power` finds one eigenvalue, the largest in
/// magnitude. Throws Error for an unknown kind, more eigenvalues than dimensions, `power` with several; NaN in the
/// operator gives NaN. Collective; rank 0 decides, so that ranks on unlike processors agree.
///
/// krylov_schur: Stewart 2001; lobpcg: Knyazev 2001; davidson: block Davidson without preconditioner; see Baker,
/// Hetmaniuk, Lehoucq, Thornquist 2009 for Anasazi. Rayleigh-Ritz of our own takes over where Anasazi's solver fails
/// (exhausted Krylov spaces, loops without end), and where a Krylov space would fill all dimensions.
template <class Real, class Space>
EigenPairs<Real, Space> solve(Operator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial, int count,
                              SolverOptions const& options);

}  // namespace onedge::spectrum
