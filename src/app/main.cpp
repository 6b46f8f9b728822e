// The command line. Commands throw; this is the only place that turns exceptions into messages and exit codes.
#include <onedge/comm/agreement.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"

namespace {

using namespace onedge;

/// What is wrong with the command line, in one line.
std::string message_of(CLI::App const& app, CLI::ParseError const& error, int argc, char** argv) {
  std::string message = error.what();
  if (app.get_subcommands().empty()) {
    message = argc > 1 && argv[1][0] != '-' ? concat("there is no command '", argv[1], "'") : "a command is required";
  }
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  return message;
}

std::string joined(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) line += (i == 0 ? "" : " ") + std::string(argv[i]);
  return line;
}

int run(CLI::App& app, int argc, char** argv, comm::Environment& environment) {
  auto const& world = environment.world();
  app::TrainOptions train;
  app::CasesOptions cases;
  app::SharpnessOptions sharpness;
  app::DynamicsOptions dynamics;
  app::InfoOptions info;
  auto* const train_command = app::add_train(app, train);
  auto* const cases_command = app::add_cases(app, cases);
  auto* const sharpness_command = app::add_sharpness(app, sharpness);
  auto* const dynamics_command = app::add_dynamics(app, dynamics);
  auto* const info_command = app::add_info(app, info);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) return world.rank() == 0 ? app.exit(error) : 0;
    if (world.rank() == 0)
      std::fprintf(stderr, "onedge: %s; see onedge --help\n", message_of(app, error, argc, argv).c_str());
    return app::exit_input;
  }
  linalg::use_one_thread();
  if (train_command->parsed() || sharpness_command->parsed()) environment.connect_devices();
  if (train_command->parsed()) return app::run_train(train, joined(argc, argv), world);
  if (cases_command->parsed()) return app::run_cases(cases, world);
  if (sharpness_command->parsed()) return app::run_sharpness(sharpness, joined(argc, argv), world);
  if (dynamics_command->parsed()) return app::run_dynamics(dynamics, joined(argc, argv), world);
  if (info_command->parsed()) return app::run_info(info, world);
  return app::exit_failure;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a run outlives whoever reads its output
  // Kokkos takes --help, --threads and others for its own: it sees what is addressed to it alone.
  std::vector<char*> for_kokkos{argv[0]}, ours;
  for (int i = 0; i < argc; ++i) {
    bool const is_for_kokkos = std::string_view(argv[i]).starts_with("--kokkos-");
    (is_for_kokkos ? for_kokkos : ours).push_back(argv[i]);
  }
  int kokkos_count = static_cast<int>(for_kokkos.size());
  int const count = static_cast<int>(ours.size());
  for_kokkos.push_back(nullptr);
  ours.push_back(nullptr);
  char** kokkos_arguments = for_kokkos.data();
  comm::Environment environment(kokkos_count, kokkos_arguments);
  CLI::App app("OnEdge: full-batch training at the edge of stability", "onedge");
  try {
    return run(app, count, ours.data(), environment);
  } catch (comm::SharedError const& error) {
    if (environment.world().rank() == 0) std::fprintf(stderr, "onedge: %s\n", error.what());
    return error.is_input_error() ? app::exit_input : app::exit_failure;
  } catch (InputError const& error) {
    return environment.fail(error.what(), app::exit_input);
  } catch (std::exception const& error) {
    return environment.fail(error.what(), app::exit_failure);
  }
}
