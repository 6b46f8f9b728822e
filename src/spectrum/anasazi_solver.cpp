#include <onedge/core/error.hpp>
#include <onedge/spectrum/eigen_solver.hpp>  // before Anasazi: Debian's brings an old Kokkos along

#include <AnasaziBasicEigenproblem.hpp>
#include <AnasaziBlockDavidsonSolMgr.hpp>
#include <AnasaziBlockKrylovSchurSolMgr.hpp>
#include <AnasaziLOBPCGSolMgr.hpp>

#include <optional>

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
template <class Real, class Space>
using KrylovSchur = Anasazi::BlockKrylovSchur<double, Vectors<Real, Space>, Operator<Real, Space>>;

/// The Krylov space is invariant: the next vectors would be rounding errors.
struct Exhausted : std::exception {
  char const* what() const noexcept override { return "the Krylov space is exhausted"; }
};

/// Products of one more iteration.
int products_of_iteration(SolverOptions const& options, int count) {
  return options.width(count) * (options.kind == "davidson" ? 2 : 1);
}

/// Passes the wanted Ritz pairs that are accurate; all of them when there are no products for another iteration, so
/// that a solver always ends with its best values and vectors. Remembers values and residuals.
template <class Real, class Space>
class Convergence : public Anasazi::StatusTest<double, Vectors<Real, Space>, Operator<Real, Space>> {
  using Solver = Anasazi::Eigensolver<double, Vectors<Real, Space>, Operator<Real, Space>>;
  using State = Anasazi::BlockKrylovSchurState<double, Vectors<Real, Space>>;

 public:
  Convergence(DirectedOperator<Real, Space> const& a, int count, SolverOptions const& options)
      : m_operator(a), m_count(static_cast<std::size_t>(count)), m_options(options), m_accuracy{options.tolerance} {
    // Keeps room for a look at what was found.
    m_reserve = products_of_iteration(options, count) + count;
  }

  Anasazi::TestStatus checkStatus(Solver* solver) override {
    auto const values = solver->getRitzValues();
    auto const residuals = solver->getRitzRes2Norms();
    m_norm = std::max(m_norm, m_operator.norm());
    for (auto const& value : values) m_norm = std::max(m_norm, std::abs(value.realpart));
    std::size_t const known = std::min({values.size(), residuals.size(), m_count});
    bool const is_spent = m_operator.products() + m_reserve > m_options.maximum_products;
    m_passed.clear();
    m_values.clear();
    m_residuals.assign(residuals.begin(), residuals.begin() + static_cast<std::ptrdiff_t>(known));
    for (std::size_t i = 0; i < known; ++i) {
      m_values.push_back(values[i].realpart);
      if (is_spent || m_accuracy.meets(m_residuals[i], m_values[i], m_norm)) m_passed.push_back(static_cast<int>(i));
    }
    m_status = m_passed.size() == m_count ? Anasazi::Passed : Anasazi::Failed;
    if (m_status == Anasazi::Failed) look_for_exhaustion(dynamic_cast<KrylovSchur<Real, Space>*>(solver));
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
  double norm() const { return m_norm; }
  /// The best Ritz vectors of an exhausted space.
  std::optional<Vectors<Real, Space>> const& exhausted() const { return m_exhausted; }

 private:
  // Anasazi's own thresholds are those of double. The diagonal of the last block under the projected matrix is what
  // was left of the new vectors, against those before them, before they were normalised.
  void look_for_exhaustion(KrylovSchur<Real, Space> const* solver) {
    if (solver == nullptr) return;
    State const state = solver->getState();
    int const width = solver->getBlockSize();
    double least = m_norm;
    for (int i = 0; i < width && state.curDim > 0; ++i) {
      least = std::min(least, std::abs((*state.H)(state.curDim + i, state.curDim - width + i)));
    }
    if (least > 100 * Accuracy<Real>::epsilon * m_norm || state.curDim == 0) return;
    std::vector<double> projected;
    for (int i = 0; i < state.curDim; ++i)
      for (int j = 0; j < state.curDim; ++j) projected.push_back((*state.H)(i, j));
    int const kept = std::min(state.curDim, static_cast<int>(m_count));
    m_exhausted.emplace(state.V->pool(), kept);
    m_exhausted->multiply_add(1, state.V->range(0, state.curDim), eigenbasis(projected, state.curDim).first(kept), 0);
    throw Exhausted();
  }

  DirectedOperator<Real, Space> const& m_operator;
  std::size_t m_count;
  SolverOptions m_options;
  Accuracy<Real> m_accuracy;
  int m_reserve;
  double m_norm = 0;
  std::vector<int> m_passed;
  std::vector<double> m_values, m_residuals;
  std::optional<Vectors<Real, Space>> m_exhausted;
  Anasazi::TestStatus m_status = Anasazi::Undefined;
};

Teuchos::ParameterList parameters(SolverOptions const& options, int count) {
  constexpr int many = std::numeric_limits<int>::max() / 1024;  // Convergence decides when to stop
  int const width = options.width(count);
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
  list.set("Num Blocks", krylov_blocks(count, width));
  list.set("Num Restart Blocks", (count + width - 1) / width);
  list.set("Step Size", 1);
  list.set("In Situ Restarting", true);  // a third less memory
  // What a restart keeps beyond the wanted vectors; without "Dynamic Extra NEV" Anasazi makes no room for it.
  list.set("Dynamic Extra NEV", true);
  list.set("Extra NEV Blocks", extra_blocks);
  return list;
}

template <class Real, class Space>
RCP<Problem<Real, Space>> make_problem(DirectedOperator<Real, Space> const& a, Vectors<Real, Space> const& initial,
                                       int count) {
  RCP<Operator<Real, Space> const> const directed = Teuchos::rcpFromRef<Operator<Real, Space> const>(a);
  auto const problem = rcp(new Problem<Real, Space>(directed, rcp(new Vectors<Real, Space>(initial.clone()))));
  problem->setHermitian(true);
  problem->setNEV(count);
  require(problem->setProblem(), "Anasazi refuses the eigenproblem");
  return problem;
}

template <class Real>
bool is_orthonormal(std::vector<double> const& products, std::size_t count) {
  double const allowed = std::sqrt(Accuracy<Real>::epsilon);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      if (!(std::abs(products[i * count + j] - (i == j ? 1 : 0)) <= allowed)) return false;
    }
  return true;
}

template <class Manager, class Real, class Space>
Solution<Real, Space> solve_by(DirectedOperator<Real, Space> const& a, Vectors<Real, Space> const& initial, int count,
                               SolverOptions const& options) {
  auto const convergence = rcp(new Convergence<Real, Space>(a, count, options));
  Solution<Real, Space> solution{{}, {}, 0, initial, options.kind};
  try {
    auto const problem = make_problem(a, initial, count);
    auto list = parameters(options, count);
    Manager manager(problem, list);
    manager.setGlobalStatusTest(convergence);
    manager.solve();
    auto const& found = problem->getSolution();
    if (found.numVecs >= count) {
      auto const vectors = found.Evecs->range(0, count);
      bool const is_right = is_orthonormal<Real>(vectors.inner_products(vectors), static_cast<std::size_t>(count));
      if (is_right)
        solution = {convergence->values(), convergence->residuals(), convergence->norm(), vectors, options.kind};
    }
  } catch (Stopped const&) {
    solution = {convergence->values(), convergence->residuals(),
                convergence->norm(),   Vectors<Real, Space>(initial.pool(), 0),
                options.kind,          true};
  } catch (NotFinite const&) {
    throw;
  } catch (std::exception const&) {  // Exhausted, NeverEnding, and whatever Anasazi gives up with
    if (convergence->exhausted()) solution.vectors = *convergence->exhausted();
  }
  return solution;
}

}  // namespace

template <class Real, class Space>
Solution<Real, Space> solve_by_anasazi(DirectedOperator<Real, Space> const& a, Vectors<Real, Space> const& initial,
                                       int count, SolverOptions const& options) {
  using V = Vectors<Real, Space>;
  using Op = Operator<Real, Space>;
  if (options.kind == "lobpcg") return solve_by<Anasazi::LOBPCGSolMgr<double, V, Op>>(a, initial, count, options);
  if (options.kind == "davidson") {
    return solve_by<Anasazi::BlockDavidsonSolMgr<double, V, Op>>(a, initial, count, options);
  }
  return solve_by<Anasazi::BlockKrylovSchurSolMgr<double, V, Op>>(a, initial, count, options);
}

#define ONEDGE_INSTANTIATE(Real, Space)                         \
  template Solution<Real, Space> solve_by_anasazi<Real, Space>( \
      DirectedOperator<Real, Space> const&, ShardedVectors<Real, Space> const&, int, SolverOptions const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
