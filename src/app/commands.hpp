#pragma once
// Functions for each command: add_x describes its command line, run_x does it and returns the exit code. With a world
// of ranks it is collective; without one it needs neither MPI nor Kokkos, and one process does it.
#include <onedge/comm/launch.hpp>
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/training/stop_signals.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace onedge::app {

// Exit codes that users' scripts rely on.
inline constexpr int exit_finished = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_input = 2;
inline constexpr int exit_diverged = 3;
inline constexpr int exit_interrupted = 85;

struct TrainOptions {
  std::string deck;
  std::vector<std::string> overrides;
  std::string directory;
  std::int64_t case_index = -1;  // of the sweep; -1: none was named
  bool fresh = false;
  bool dry_run = false;
};
CLI::App* add_train(CLI::App& app, TrainOptions& options);
int run_train(TrainOptions const& options, std::string const& command_line, comm::MpiCommunicator const& world);
/// train --dry-run, for as many ranks as were launched.
int run_dry(TrainOptions const& options, comm::Launch const& launch);

struct CasesOptions {
  std::string deck;
  std::vector<std::string> overrides;
  std::string directory;
  bool missing = false;
};
CLI::App* add_cases(CLI::App& app, CasesOptions& options);
int run_cases(CasesOptions const& options);

struct DynamicsOptions {
  std::string deck;
  std::vector<std::string> overrides;
  std::string directory;
  std::int64_t case_index = -1;  // of the sweep; -1: all
};
CLI::App* add_dynamics(CLI::App& app, DynamicsOptions& options);
int run_dynamics(DynamicsOptions const& options, std::string const& command_line, training::StopSignals const& signals);

struct SharpnessOptions {
  std::vector<std::string> arguments;
  std::vector<std::string> operators = {"hessian"};
  int count = 5;
  double tolerance = 1e-4;
  std::string solver = "krylov_schur";
  std::int64_t maximum_products = 2000;
  int block = 0;
  bool vectors = false;
  bool other_data = false;
  bool density = false;
  std::size_t probes = 4;
  std::size_t steps = 64;
  std::string output;
};
CLI::App* add_sharpness(CLI::App& app, SharpnessOptions& options);
int run_sharpness(SharpnessOptions const& options, std::string const& command_line, comm::MpiCommunicator const& world);

struct InfoOptions {
  bool keys = false;
};
CLI::App* add_info(CLI::App& app, InfoOptions& options);
int run_info(InfoOptions const& options, comm::Launch const& launch);

}  // namespace onedge::app
