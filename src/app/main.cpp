// The command line. Commands throw; this is the only place that turns exceptions into messages and exit codes.
#include <onedge/comm/agreement.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/training/stop_signals.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <optional>
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

/// The command line and what it asks for.
class CommandLine {
 public:
  CommandLine(int argc, char** argv) : m_argc(argc), m_argv(argv), m_text(joined(argc, argv)) {
    m_app.require_subcommand(1);
  }

  /// The exit code where there is nothing left to do. Only the first process speaks.
  std::optional<int> parse(bool speaks) {
    try {
      m_app.parse(m_argc, m_argv);
    } catch (CLI::ParseError const& error) {
      if (error.get_exit_code() == 0) return speaks ? m_app.exit(error) : 0;
      if (speaks)
        std::fprintf(stderr, "onedge: %s; see onedge --help\n", message_of(m_app, error, m_argc, m_argv).c_str());
      return app::exit_input;
    }
    return {};
  }

  /// Whether all ranks take part, with MPI and Kokkos. Anything else also works where neither can start.
  bool is_collective() const {
    return (m_train_command->parsed() && !m_train.dry_run) || m_sharpness_command->parsed();
  }
  bool ends_in_order() const { return is_collective() || m_dynamics_command->parsed(); }

  int run_on(comm::MpiCommunicator const& world) const {
    return m_train_command->parsed() ? app::run_train(m_train, m_text, world)
                                     : app::run_sharpness(m_sharpness, m_text, world);
  }
  int run_alone(comm::Launch const& launch, training::StopSignals const& signals) const {
    if (m_train_command->parsed()) return app::run_dry(m_train, launch);
    if (m_cases_command->parsed()) return app::run_cases(m_cases);
    if (m_dynamics_command->parsed()) return app::run_dynamics(m_dynamics, m_text, signals);
    return app::run_info(m_info, launch);
  }

 private:
  int m_argc;
  char** m_argv;
  std::string m_text;
  CLI::App m_app{"OnEdge: full-batch training at the edge of stability", "onedge"};
  app::TrainOptions m_train;
  app::CasesOptions m_cases;
  app::SharpnessOptions m_sharpness;
  app::DynamicsOptions m_dynamics;
  app::InfoOptions m_info;
  CLI::App* m_train_command = app::add_train(m_app, m_train);
  CLI::App* m_cases_command = app::add_cases(m_app, m_cases);
  CLI::App* m_sharpness_command = app::add_sharpness(m_app, m_sharpness);
  CLI::App* m_dynamics_command = app::add_dynamics(m_app, m_dynamics);
  CLI::App* m_info_command = app::add_info(m_app, m_info);
};

int run_on_all_ranks(CommandLine const& command, std::vector<char*> for_kokkos) {
  int kokkos_count = static_cast<int>(for_kokkos.size()) - 1;
  char** kokkos_arguments = for_kokkos.data();
  comm::Environment environment(kokkos_count, kokkos_arguments);
  try {
    environment.connect_devices();
    return command.run_on(environment.world());
  } catch (comm::SharedError const& error) {
    if (environment.world().rank() == 0) std::fprintf(stderr, "onedge: %s\n", error.what());
    return error.is_input_error() ? app::exit_input : app::exit_failure;
  } catch (InputError const& error) {
    return environment.fail(error.what(), app::exit_input);
  } catch (std::exception const& error) {
    return environment.fail(error.what(), app::exit_failure);
  }
}

int run_alone(CommandLine const& command, comm::Launch const& launch, training::StopSignals const& signals) {
  try {
    return launch.rank == 0 ? command.run_alone(launch, signals) : 0;
  } catch (std::exception const& error) {
    auto const failure = comm::failure_of(error);
    std::fprintf(stderr, "onedge: %s\n", failure.what());
    return failure.is_input_error() ? app::exit_input : app::exit_failure;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a run outlives whoever reads its output
  training::StopSignals signals;  // before anything that takes time
  // Kokkos takes --help, --threads and others for its own: it sees what is addressed to it alone.
  std::vector<char*> for_kokkos{argv[0]}, ours;
  for (int i = 0; i < argc; ++i) {
    bool const is_for_kokkos = std::string_view(argv[i]).starts_with("--kokkos-");
    (is_for_kokkos ? for_kokkos : ours).push_back(argv[i]);
  }
  int const count = static_cast<int>(ours.size());
  for_kokkos.push_back(nullptr);
  ours.push_back(nullptr);
  auto const launch = comm::launch_of_this_process();
  CommandLine command(count, ours.data());
  if (auto const code = command.parse(launch.rank == 0)) return *code;
  if (!command.ends_in_order()) signals.obey();
  linalg::use_one_thread();
  return command.is_collective() ? run_on_all_ranks(command, for_kokkos) : run_alone(command, launch, signals);
}
