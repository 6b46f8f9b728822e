#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/spectrum/eigen_solver.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "solution.hpp"

namespace onedge::spectrum {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// v ← Hv/‖Hv‖ until vᵀHv changes by at most the tolerance, relatively.
template <class Real, class Space>
Solution<Real, Space> power_iteration(DirectedOperator<Real, Space> const& a,
                                      ShardedVectors<Real, Space> const& initial, SolverOptions const& options) {
  auto v = initial.clone();
  ShardedVectors<Real, Space> next(initial.pool(), 1);
  if (!(v.norms()[0] > 0)) v.randomise_signs(1, 0);
  v.scale({1 / v.norms()[0]});
  double value = unknown, norm = unknown;
  bool stopped = false;
  try {
    for (;;) {
      a.apply(v, next);
      double const before = value;
      norm = checked(next.norms())[0];
      value = v.dots(next)[0];
      if (norm == 0 || std::abs(value - before) <= options.tolerance * std::abs(value)) break;
      if (a.products() >= options.maximum_products) break;
      v.combine(1 / norm, next, 0, next);
    }
    next.combine(1, next, -value, v);
  } catch (Stopped const&) {
    stopped = true;
  }
  if (std::isnan(value)) return {{}, {}, 0, v, options.kind, stopped};
  return {{value}, {stopped ? unknown : next.norms()[0]}, norm, v, options.kind, stopped};
}

/// Whether Rayleigh-Ritz is the better choice from the start: a Krylov space would fill all dimensions, or there are
/// too few products for one.
bool is_small(std::size_t length, int count, SolverOptions const& options) {
  int const width = options.width(count);
  return length <= static_cast<std::size_t>(krylov_blocks(count, width) * width) ||
         options.maximum_products < 3 * width + count;
}

template <class Real, class Space>
Solution<Real, Space> solve_here(DirectedOperator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial,
                                 int count, SolverOptions const& options) {
  if (options.kind == "power") return power_iteration(a, initial, options);
  if (options.kind == "rayleigh_ritz" || is_small(initial.layout().length(), count, options)) {
    return rayleigh_ritz(a, initial, count, options);
  }
  auto solution = solve_by_anasazi(a, initial, count, options);
  bool const failed = solution.values.empty();
  // The residuals of the others are carried along by recursions that rounding spoils.
  bool const is_proven = options.kind == "krylov_schur" && !failed;
  if (solution.stopped || is_proven) return solution;
  auto const vectors = solution.vectors;
  solution.vectors = ShardedVectors<Real, Space>(initial.pool(), 0);
  auto const before = a.products();
  auto checked_solution = rayleigh_ritz(a, vectors, count, options);
  if (!failed && a.products() == before + count) checked_solution.solver = options.kind;
  return checked_solution;
}

/// Rank 0's solution as numbers for all ranks: products, stopped, solver, norm, vectors, then values and residuals.
template <class Real, class Space>
std::vector<double> encoded(Solution<Real, Space> solution, std::int64_t products, std::size_t count) {
  solution.values.resize(count, unknown);
  solution.residuals.resize(count, unknown);
  auto const names = solver_names();
  auto const solver = std::find(names.begin(), names.end(), solution.solver) - names.begin();
  std::vector<double> message{static_cast<double>(products), solution.stopped ? 1.0 : 0.0, static_cast<double>(solver),
                              solution.norm, static_cast<double>(solution.vectors.columns())};
  message.insert(message.end(), solution.values.begin(), solution.values.end());
  message.insert(message.end(), solution.residuals.begin(), solution.residuals.end());
  return message;
}
constexpr std::size_t numbers_before_values = 5;

template <class Real, class Space>
EigenPairs<Real, Space> decoded(std::vector<double> const& message, ShardedVectors<Real, Space> const& found,
                                double tolerance) {
  auto const count = (message.size() - numbers_before_values) / 2;
  auto const values = message.begin() + numbers_before_values;
  auto const residuals = values + static_cast<std::ptrdiff_t>(count);
  EigenPairs<Real, Space> pairs{{values, residuals}, {}, {}, found.range(0, static_cast<int>(message[4]))};
  pairs.products = static_cast<std::int64_t>(message[0]);
  pairs.stopped = message[1] != 0;
  pairs.solver = solver_names()[static_cast<std::size_t>(message[2])];
  Accuracy<Real> const accuracy{tolerance};
  double const norm = message[3], rounding = accuracy.epsilon * norm;
  for (std::size_t i = 0; i < count; ++i) {
    double const residual = residuals[static_cast<std::ptrdiff_t>(i)], value = std::abs(pairs.values[i]);
    pairs.converged.push_back(accuracy.meets(residual, value, norm));
    bool const is_known = std::isfinite(residual);
    double const scale = std::max(value, rounding);
    pairs.residuals.push_back(is_known ? (scale > 0 ? std::max(residual, rounding) / scale : 0) : unknown);
  }
  return pairs;
}

}  // namespace

std::vector<std::string> solver_names() { return {"krylov_schur", "lobpcg", "davidson", "power", "rayleigh_ritz"}; }

int SolverOptions::width(int count) const { return kind == "lobpcg" || block == 0 ? count : std::min(block, count); }

int SolverOptions::vectors(int count) const {
  int const at_once = width(count), columns = ritz_columns(count, at_once);
  int const krylov = (krylov_blocks(count, at_once) + 2) * at_once + 2 * count + 1;  // the basis, and what comes of it
  int const ritz = 5 * columns / 2 + 4 * count;                                      // V, AV, half of one of them anew
  return std::max(krylov, ritz) + count;
}

template <class Real, class Space>
EigenPairs<Real, Space> solve(Operator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial, int count,
                              SolverOptions const& options) {
  auto const length = initial.layout().length();
  auto const names = solver_names();
  require(std::find(names.begin(), names.end(), options.kind) != names.end(), "no eigen-solver is called '",
          options.kind, "'");
  require(options.kind != "power" || count == 1, "power iteration finds one eigenvalue, not ", count);
  require(count >= 1 && static_cast<std::size_t>(count) <= length, count, " eigenvalues of a matrix of ", length,
          " rows");
  require(initial.columns() == options.width(count), "a solve for ", count, " eigenvalues begins with ",
          options.width(count), " vectors, not ", initial.columns());
  auto const& pool = initial.pool();
  auto const& communicator = pool->layout().communicator();
  auto const wanted = static_cast<std::size_t>(count);
  pool->restart_draws();
  ShardedVectors<Real, Space> found(pool, count);
  std::vector<double> message(numbers_before_values + 2 * wanted);
  {
    DirectedOperator<Real, Space> const directed(a, options.stop, *pool);
    if (communicator.rank() == 0) {
      Solution<Real, Space> solution{{}, {}, 0, initial.range(0, 0), options.kind};
      try {
        solution = solve_here(directed, initial, count, options);
        if (solution.vectors.columns() > 0) found.range(0, solution.vectors.columns()).copy(solution.vectors);
      } catch (NotFinite const&) {
        // The values say so.
      }
      message = encoded(solution, directed.products(), wanted);
    } else {
      directed.serve(pool);
    }
  }
  comm::share_rank_0(communicator, message);
  return decoded(message, found, options.tolerance);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                             \
  template EigenPairs<Real, Space> solve<Real, Space>(Operator<Real, Space> const&, \
                                                      ShardedVectors<Real, Space> const&, int, SolverOptions const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
