#include <onedge/core/error.hpp>
#include <onedge/spectrum/eigen_solver.hpp>

#include <AnasaziBasicEigenproblem.hpp>
#include <AnasaziBlockDavidsonSolMgr.hpp>
#include <AnasaziBlockKrylovSchurSolMgr.hpp>
#include <AnasaziLOBPCGSolMgr.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anasazi_traits.hpp"

namespace onedge::spectrum {

namespace {

using Teuchos::RCP;
using Teuchos::rcp;

// Anasazi's own arithmetic (projected matrices) is in double, whatever the vectors are.
template <class Real, class Space>
using Vectors = ShardedVectors<Real, Space>;
template <class Real, class Space>
using Problem = Anasazi::BasicEigenproblem<double, Vectors<Real, Space>, Operator<Real, Space>>;

/// Counts what goes through it.
template <class Real, class Space>
class CountingOperator : public Operator<Real, Space> {
 public:
  explicit CountingOperator(Operator<Real, Space> const& base) : m_base(base) {}
  void apply(Vectors<Real, Space> const& x, Vectors<Real, Space>& y) const override {
    m_base.apply(x, y);
    m_products += x.columns();
  }
  std::int64_t products() const { return m_products; }

 private:
  Operator<Real, Space> const& m_base;
  mutable std::int64_t m_products = 0;
};

bool meets(double residual, double value, double tolerance) { return residual <= tolerance * std::abs(value); }

/// Passes the Ritz pairs within the tolerance; all of them once the products are spent, so that a solver always ends
/// with its best values and vectors. Remembers the residuals.
template <class Real, class Space>
class Convergence : public Anasazi::StatusTest<double, Vectors<Real, Space>, Operator<Real, Space>> {
  using Solver = Anasazi::Eigensolver<double, Vectors<Real, Space>, Operator<Real, Space>>;

 public:
  Convergence(CountingOperator<Real, Space> const& a, std::size_t count, SolverOptions const& options)
      : m_operator(a), m_count(count), m_options(options) {}

  Anasazi::TestStatus checkStatus(Solver* solver) override {
    auto const values = solver->getRitzValues();
    m_residuals = solver->getRitzRes2Norms();
    std::size_t const known = std::min(values.size(), m_residuals.size());
    bool const is_spent = m_operator.products() >= m_options.maximum_products;
    m_passed.clear();
    m_values.clear();
    for (std::size_t i = 0; i < known; ++i) {
      m_values.push_back(values[i].realpart);
      if (is_spent || meets(m_residuals[i], m_values[i], m_options.tolerance)) m_passed.push_back(static_cast<int>(i));
    }
    m_status = m_passed.size() >= m_count ? Anasazi::Passed : Anasazi::Failed;
    return m_status;
  }
  Anasazi::TestStatus getStatus() const override { return m_status; }
  std::vector<int> whichVecs() const override { return m_passed; }
  int howMany() const override { return static_cast<int>(m_passed.size()); }
  void reset() override { clearStatus(); }
  void clearStatus() override {
    m_passed.clear();
    m_status = Anasazi::Undefined;
  }
  std::ostream& print(std::ostream& out, int) const override { return out << howMany() << " pairs pass\n"; }

  std::vector<double> const& values() const { return m_values; }
  std::vector<double> const& residuals() const { return m_residuals; }

 private:
  CountingOperator<Real, Space> const& m_operator;
  std::size_t m_count;
  SolverOptions m_options;
  std::vector<int> m_passed;
  std::vector<double> m_values, m_residuals;
  Anasazi::TestStatus m_status = Anasazi::Undefined;
};

/// Blocks of a Krylov basis before a restart, which keeps the wanted vectors and some more.
int krylov_blocks(int count, int width) { return std::max(20, 3 * ((count + width - 1) / width)); }
constexpr int extra_blocks = 4;

Teuchos::ParameterList parameters(SolverOptions const& options, int count, std::size_t length) {
  constexpr int many = std::numeric_limits<int>::max() / 1024;  // Convergence decides when to stop
  int const width = options.width(count);
  int const most_blocks = static_cast<int>(length / static_cast<std::size_t>(width)) - 1;
  Teuchos::ParameterList list;
  list.set("Which", "LR");
  list.set("Block Size", width);
  list.set("Verbosity", 0);
  if (options.kind == "lobpcg") {
    list.set("Maximum Iterations", many);
    list.set("Full Ortho", true);
    return list;
  }
  list.set("Orthogonalization", options.kind == "davidson" ? "SVQB" : "ICGS");
  list.set("Maximum Restarts", many);
  list.set("Num Blocks", std::min(krylov_blocks(count, width), most_blocks));
  list.set("Num Restart Blocks", (count + width - 1) / width);
  list.set("Step Size", 1);
  // What a restart keeps beyond the wanted vectors; without "Dynamic Extra NEV" Anasazi makes no room for it.
  list.set("Dynamic Extra NEV", true);
  list.set("Extra NEV Blocks", extra_blocks);
  return list;
}

template <class Real, class Space>
RCP<Problem<Real, Space>> make_problem(CountingOperator<Real, Space> const& a, Vectors<Real, Space> const& initial,
                                       int count) {
  RCP<Operator<Real, Space> const> const counted = Teuchos::rcpFromRef<Operator<Real, Space> const>(a);
  auto const problem = rcp(new Problem<Real, Space>(counted, rcp(new Vectors<Real, Space>(initial.clone()))));
  problem->setHermitian(true);
  problem->setNEV(count);
  require(problem->setProblem(), "Anasazi refuses the eigenproblem");
  return problem;
}

template <class Manager, class Real, class Space>
EigenPairs<Real, Space> solve_by(CountingOperator<Real, Space> const& a, Vectors<Real, Space> const& initial, int count,
                                 SolverOptions const& options) {
  auto const problem = make_problem(a, initial, count);
  auto list = parameters(options, count, initial.layout().length());
  auto const convergence = rcp(new Convergence<Real, Space>(a, static_cast<std::size_t>(count), options));
  Manager manager(problem, list);
  manager.setGlobalStatusTest(convergence);
  manager.solve();
  auto const& solution = problem->getSolution();
  bool const gave_up = solution.numVecs < count;  // the values seen last are still the best ones
  EigenPairs<Real, Space> pairs{convergence->values(),
                                convergence->residuals(),
                                {},
                                gave_up ? Vectors<Real, Space>(initial.pool(), 0) : *solution.Evecs};
  for (int i = 0; i < count && !gave_up; ++i) {
    pairs.values[static_cast<std::size_t>(i)] = solution.Evals[static_cast<std::size_t>(i)].realpart;
  }
  return pairs;
}

/// v ← Hv/‖Hv‖ until vᵀHv changes by at most the tolerance, relatively.
template <class Real, class Space>
EigenPairs<Real, Space> power_iteration(CountingOperator<Real, Space> const& a, Vectors<Real, Space> const& initial,
                                        SolverOptions const& options) {
  auto v = initial.clone();
  v.scale({1 / std::sqrt(v.dots(v)[0])});
  Vectors<Real, Space> next(initial.pool(), 1);
  double value = std::numeric_limits<double>::quiet_NaN(), residual = value;
  while (a.products() < options.maximum_products) {
    a.apply(v, next);
    double const before = value, norm = std::sqrt(next.dots(next)[0]);
    value = v.dots(next)[0];
    if (!std::isfinite(norm)) throw Anasazi::NotFinite();
    residual = std::sqrt(std::max(0.0, norm * norm - value * value));
    if (norm == 0 || std::abs(value - before) <= options.tolerance * std::abs(value)) break;
    v.combine(1 / norm, next, 0, next);
  }
  return {{value}, {residual}, {}, v};
}

template <class Real, class Space>
EigenPairs<Real, Space> solve_kind(CountingOperator<Real, Space> const& a, Vectors<Real, Space> const& initial,
                                   int count, SolverOptions const& options) {
  using V = Vectors<Real, Space>;
  using Op = Operator<Real, Space>;
  if (options.kind == "krylov_schur") {
    return solve_by<Anasazi::BlockKrylovSchurSolMgr<double, V, Op>>(a, initial, count, options);
  }
  if (options.kind == "lobpcg") return solve_by<Anasazi::LOBPCGSolMgr<double, V, Op>>(a, initial, count, options);
  if (options.kind == "davidson")
    return solve_by<Anasazi::BlockDavidsonSolMgr<double, V, Op>>(a, initial, count, options);
  require(options.kind == "power", "no eigen-solver is called '", options.kind, "'");
  require(count == 1, "power iteration finds one eigenvalue, not ", count);
  return power_iteration(a, initial, options);
}

}  // namespace

std::vector<std::string> solver_names() { return {"krylov_schur", "lobpcg", "davidson", "power"}; }

int SolverOptions::width(int count) const { return kind == "lobpcg" || block == 0 ? count : std::min(block, count); }

bool SolverOptions::fits(int count, std::size_t length) const {
  return kind == "power" || static_cast<std::size_t>(count + 2 * width(count)) <= length;
}

int SolverOptions::vectors(int count) const {
  int const columns = width(count);
  return (krylov_blocks(count, columns) + 1) * columns * 3 / 2 + extra_blocks * columns;
}

template <class Real, class Space>
EigenPairs<Real, Space> solve(Operator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial, int count,
                              SolverOptions const& options) {
  auto const length = initial.layout().length();
  require(count >= 1 && options.fits(count, length), count, " eigenvalues of a matrix of ", length, " rows");
  require(initial.columns() == options.width(count), "a solve for ", count, " eigenvalues begins with ",
          options.width(count), " vectors, not ", initial.columns());
  initial.pool()->restart_draws();
  CountingOperator<Real, Space> const counted(a);
  auto const wanted = static_cast<std::size_t>(count);
  EigenPairs<Real, Space> pairs{{}, {}, {}, Vectors<Real, Space>(initial.pool(), 0)};
  try {
    pairs = solve_kind(counted, initial, count, options);
  } catch (Anasazi::NotFinite const&) {
    // The values say so.
  }
  pairs.values.resize(wanted, std::numeric_limits<double>::quiet_NaN());
  pairs.residuals.resize(wanted, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < wanted; ++i) {
    pairs.converged.push_back(meets(pairs.residuals[i], pairs.values[i], options.tolerance));
    if (pairs.residuals[i] > 0) pairs.residuals[i] /= std::abs(pairs.values[i]);
  }
  pairs.products = counted.products();
  return pairs;
}

#define ONEDGE_INSTANTIATE(Real, Space)                                             \
  template EigenPairs<Real, Space> solve<Real, Space>(Operator<Real, Space> const&, \
                                                      ShardedVectors<Real, Space> const&, int, SolverOptions const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
