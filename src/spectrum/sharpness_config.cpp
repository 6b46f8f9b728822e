#include <onedge/core/error.hpp>
#include <onedge/spectrum/sharpness_config.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace onedge::spectrum {

std::vector<std::string> operator_names() {
  return {"hessian", "preconditioned_hessian", "gauss_newton", "negative_hessian"};
}

std::string to_string(OperatorKind kind) { return operator_names()[static_cast<std::size_t>(kind)]; }

OperatorKind operator_kind(std::string const& name) {
  auto const names = operator_names();
  auto const found = std::find(names.begin(), names.end(), name);
  require(found != names.end(), "no operator is called '", name, "'");
  return static_cast<OperatorKind>(found - names.begin());
}

namespace {

/// Nothing would be measured, which nobody wants who says how. `every: 0` beside them is a measurement turned off.
void check_has_cadence(config::Section const& section) {
  if (section.given("every")) return;
  for (auto const* const key :
       {"operators", "count", "tolerance", "solver", "block", "maximum_products", "track_above", "maximum_count"}) {
    if (section.given(key)) section.fail(key, "is given without measure.sharpness.every, so nothing would be measured");
  }
}

}  // namespace

SharpnessConfig SharpnessConfig::bind(config::Section section) {
  SharpnessConfig config;
  section.bind(
      "every", config.every,
      "steps between two measurements of the largest eigenvalues, with mini-batches those of the step's batch; 0: none",
      config::non_negative);
  std::vector<std::string> operators;
  for (auto const kind : config.operators) operators.push_back(to_string(kind));
  section.choose("operators", operators, operator_names(),
                 "whose eigenvalues, each in a table of its own: the Hessian H; P^-1/2 H P^-1/2 with the optimizer's "
                 "P; the Gauss-Newton matrix; −H, for the most negative eigenvalues of H");
  config.operators.clear();
  for (auto const& name : operators) config.operators.push_back(operator_kind(name));
  section.bind("count", config.count, "number of eigenvalues", {1, 64});
  section.bind("tolerance", config.solver.tolerance,
               "largest residual ‖Av − λv‖/|λ|; the error of λ is about its square over the relative gap to the next "
               "eigenvalue; solver: power stops at this relative change of λ instead",
               config::positive);
  section.choose(
      "solver", config.solver.kind, solver_names(),
      "Anasazi's block Krylov-Schur, LOBPCG or block Davidson; rayleigh_ritz: our own, which also takes over where "
      "these fail; power: power iteration, for comparison only, which finds the eigenvalue of largest magnitude");
  std::int64_t block = config.solver.block;
  section.bind_or_word(
      "block", block, "auto", 0,
      "vectors that the operator is applied to at once; auto: count; fewer take fewer products, but of "
      "a multiple eigenvalue only so many copies are found; lobpcg: always count",
      {1, 64});
  config.solver.block = static_cast<int>(block);
  section.bind("maximum_products", config.solver.maximum_products,
               "matrix-vector products after which the best values are recorded as not converged",
               config::at_least_one);
  config.track_above = std::numeric_limits<double>::quiet_NaN();
  section.bind_optional("track_above", config.track_above,
                        "raise the number of eigenvalues while the smallest one times the learning rate is above this");
  section.bind("maximum_count", config.maximum_count, "with track_above, the most eigenvalues", {1, 64});
  check_has_cadence(section);
  if (config.solver.kind == "power" && (config.count > 1 || config.tracks())) {
    section.fail("solver", "power finds one eigenvalue: count must be 1, without track_above");
  }
  if (config.tracks() && config.maximum_count < config.count) {
    section.fail("maximum_count", concat("is below count (", config.count, ")"));
  }
  if (std::set(config.operators.begin(), config.operators.end()).size() != config.operators.size()) {
    section.fail("operators", "names one twice");
  }
  return config;
}

}  // namespace onedge::spectrum
