// The command line. Commands throw; this is the only place that turns exceptions into messages and exit codes.
#include <onedge/comm/agreement.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>

#include "commands.hpp"

namespace {

using namespace onedge;

int run(CLI::App& app, int argc, char** argv, comm::Environment const& environment) {
  auto const& world = environment.world();
  app::TrainOptions train;
  app::InfoOptions info;
  auto* const train_command = app::add_train(app, train);
  auto* const info_command = app::add_info(app, info);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const code = world.rank() == 0 ? app.exit(error) : error.get_exit_code();
    return code == 0 ? 0 : app::exit_input;
  }
  linalg::use_one_thread();
  if (train_command->parsed()) return app::run_train(train, argc, argv, world);
  if (info_command->parsed()) return app::run_info(info, world);
  return app::exit_failure;
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment const environment(argc, argv);
  CLI::App app("OnEdge: full-batch training at the edge of stability", "onedge");
  try {
    return run(app, argc, argv, environment);
  } catch (comm::SharedError const& error) {
    if (environment.world().rank() == 0) std::fprintf(stderr, "onedge: %s\n", error.what());
    return error.is_input_error() ? app::exit_input : app::exit_failure;
  } catch (InputError const& error) {
    return environment.fail(error.what(), app::exit_input);
  } catch (std::exception const& error) {
    return environment.fail(error.what(), app::exit_failure);
  }
}
