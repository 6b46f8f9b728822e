#pragma once
// One pair of functions per command: add_x describes its command line, run_x does it and returns the exit code.
#include <onedge/comm/mpi_communicator.hpp>

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

struct TrainOptions {
  std::string deck;
  std::vector<std::string> overrides;
  std::string directory;
  bool fresh = false;
  bool dry_run = false;
};
CLI::App* add_train(CLI::App& app, TrainOptions& options);
int run_train(TrainOptions const& options, int argc, char** argv, comm::MpiCommunicator const& world);

struct InfoOptions {
  bool keys = false;
};
CLI::App* add_info(CLI::App& app, InfoOptions& options);
int run_info(InfoOptions const& options, comm::MpiCommunicator const& world);

}  // namespace onedge::app
