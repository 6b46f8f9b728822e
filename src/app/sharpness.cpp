#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/sharpness_study.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>

#include "commands.hpp"

namespace onedge::app {

namespace {

bool is_assignment(std::string const& argument) {
  auto const equals = argument.find('=');
  auto const slash = argument.find('/');
  return equals != std::string::npos && (slash == std::string::npos || slash > equals);
}

/// checkpoint-00000100.h5 → sharpness-00000100.h5 beside it.
std::filesystem::path default_output(std::filesystem::path const& checkpoint) {
  std::string const name = checkpoint.filename().string();
  std::string const prefix = "checkpoint-";
  auto const rest = name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name;
  return checkpoint.parent_path() / ("sharpness-" + rest);
}

bool holds(std::vector<std::string> const& names, std::string const& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check(SharpnessOptions const& options, std::vector<std::string> const& checkpoints) {
  require_input(!checkpoints.empty(), "name at least one checkpoint");
  require_input(options.output.empty() || checkpoints.size() == 1, "--output is for one checkpoint only");
  require_input(options.count >= 1 && options.count <= 1024, "--count must be from 1 to 1024");
  require_input(options.block >= 0, "--block must be at least 0");
  require_input(options.tolerance > 0, "--tolerance must be positive");
  require_input(options.maximum_products >= 1, "--maximum-products must be at least 1");
  require_input(options.probes >= 1 && options.steps >= 2, "--probes must be at least 1, --steps at least 2");
  require_input(holds(spectrum::solver_names(), options.solver), "--solver: there is no solver '", options.solver, "'");
  require_input(options.solver != "power" || options.count == 1, "--solver power finds one eigenvalue: use --count 1");
  for (std::size_t i = 0; i < options.operators.size(); ++i) {
    auto const& name = options.operators[i];
    require_input(holds(spectrum::operator_names(), name), "--operators: there is no operator '", name, "'");
    auto const begin = options.operators.begin();
    require_input(
        std::find(begin, begin + static_cast<std::ptrdiff_t>(i), name) == begin + static_cast<std::ptrdiff_t>(i),
        "--operators names '", name, "' twice");
  }
}

}  // namespace

CLI::App* add_sharpness(CLI::App& app, SharpnessOptions& options) {
  auto* const command = app.add_subcommand("sharpness", "eigenvalues of the Hessian at stored checkpoints");
  command
      ->add_option("arguments", options.arguments,
                   "checkpoints, and overrides of their decks such as data.path=FOLDER (data.*; run.precision, block, "
                   "micro_batch, reduction)")
      ->required();
  command
      ->add_option("--operators", options.operators,
                   "whose eigenvalues: hessian, preconditioned_hessian (the optimizer's), gauss_newton, "
                   "negative_hessian (the most negative of H)")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("-k,--count", options.count, "number of eigenvalues")->capture_default_str();
  command->add_option("--tolerance", options.tolerance, "largest residual |Av - lv|/|l|")->capture_default_str();
  command->add_option("--solver", options.solver, "krylov_schur, lobpcg, davidson, rayleigh_ritz or power")
      ->capture_default_str();
  command
      ->add_option("--block", options.block,
                   "vectors that the operator is applied to at once; 0: as many as eigenvalues; fewer take fewer "
                   "products, but find only so many copies of a multiple eigenvalue")
      ->capture_default_str();
  command->add_option("--maximum-products", options.maximum_products, "products after which the best values are taken")
      ->capture_default_str();
  command->add_flag("--vectors", options.vectors, "write the eigenvectors too");
  command->add_flag("--other-data", options.other_data,
                    "the samples may be others than the checkpoint's; an override of data.* that chooses others says "
                    "so by itself, one of data.path does not");
  command->add_flag("--density", options.density,
                    "spectral density too, by stochastic Lanczos quadrature (once for the Hessian and its negative)");
  command->add_option("--probes", options.probes, "with --density: random vectors")->capture_default_str();
  command->add_option("--steps", options.steps, "with --density: Lanczos steps, one product and one vector each")
      ->capture_default_str();
  command->add_option("-o,--output", options.output,
                      "HDF5 file to write; by default sharpness-STEP.h5 beside each checkpoint");
  command->footer("Exit codes: 0 done, converged or not; 2 bad input; 1 anything else.");
  return command;
}

int run_sharpness(SharpnessOptions const& options, std::string const& command_line,
                  comm::MpiCommunicator const& world) {
  training::SharpnessStudy study;
  std::vector<std::string> checkpoints;
  for (auto const& argument : options.arguments) {
    (is_assignment(argument) ? study.overrides : checkpoints).push_back(argument);
  }
  comm::agree(world, [&] { check(options, checkpoints); });
  study.operators.clear();
  for (auto const& name : options.operators) study.operators.push_back(spectrum::operator_kind(name));
  study.count = options.count;
  study.solver = {options.solver, options.tolerance, options.maximum_products, options.block};
  study.eigenvectors = options.vectors;
  study.other_data = options.other_data;
  if (options.density) study.density = {options.probes, options.steps, 0};
  study.command_line = command_line;
  training::Log log(world.rank() == 0);
  training::StopRequest stop(world, 0);
  for (auto const& checkpoint : checkpoints) {
    study.checkpoint = checkpoint;
    study.output = options.output.empty() ? default_output(checkpoint) : std::filesystem::path(options.output);
    training::study_sharpness(study, world, log, stop);
  }
  return exit_finished;
}

}  // namespace onedge::app
