// The paper's toy models from a deck, written as trajectories: figures 4, 9, 10 and 11.
#include <onedge/core/error.hpp>
#include <onedge/io/trajectory.hpp>
#include <onedge/training/log.hpp>
#include <onedge/training/run_directory.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

#include "commands.hpp"
#include "deck_file.hpp"
#include "dynamics_deck.hpp"

namespace onedge::app {

namespace {

namespace fs = std::filesystem;

std::vector<io::Column> columns() {
  return {{"learning_rate", "learning rate eta at time t"},
          {"sharpness", "sharpness lambda at time t"},
          {"y", "distance from the edge of stability, eta lambda - 2"},
          {"p", "squared displacement along the direction of the sharpness"},
          {"g", "squared displacement along the direction of fixed curvature; 0 in model a"}};
}

// Far from the edge the models mean nothing any more, and may stay finite: with the learning rate at 0, say.
constexpr double largest_y = 1000;

/// t = 0 … steps − 1, or until the model diverges.
io::Status simulate(DynamicsDeck const& config, io::Trajectory& trajectory) {
  auto& table = trajectory.declare("steps", columns());
  auto state = config.model.start;
  for (std::int64_t t = 0; t < config.steps; ++t) {
    bool const is_finite = std::isfinite(state.learning_rate + state.sharpness + state.p + state.g);
    if (!is_finite || !(std::abs(state.y()) <= largest_y)) {
      trajectory.warn(t, concat("diverged: y is beyond ", largest_y, ", or the state is not finite"));
      return io::Status::diverged;
    }
    table.append(t, {{"learning_rate", state.learning_rate},
                     {"sharpness", state.sharpness},
                     {"y", state.y()},
                     {"p", state.p},
                     {"g", state.g}});
    state = config.model.next(state);
  }
  return io::Status::finished;
}

/// A deck, where its run goes, and which case of a sweep it is (of 0: no sweep).
struct Run {
  config::Deck deck;
  std::string directory;
  std::int64_t index = 0;
  std::int64_t cases = 0;
};

io::Status perform(Run const& run, std::string const& command_line, training::Log& log) {
  auto const& [deck, directory, index, cases] = run;
  auto const config = DynamicsDeck::bind(deck);
  if (auto const ended = DynamicsDeck::ended(deck.resolved(), directory)) {
    log.info(concat("the run in ", directory, " has already ", io::to_string(*ended)));
    return *ended;
  }
  training::RunDirectory const place(directory, false);
  io::Trajectory trajectory({deck.resolved(), command_line, Precision::double_precision, 0, 0, index, cases});
  auto const status = simulate(config, trajectory);
  trajectory.set_status(status);
  trajectory.publish(place.trajectory());
  log.info(concat(io::to_string(status), ": ", place.trajectory().string()));
  return status;
}

/// All of them checked.
std::vector<Run> runs_of(DynamicsOptions const& options, DeckFile const& file) {
  std::vector<Run> runs;
  auto const cases = static_cast<std::int64_t>(file.deck().cases().size());
  auto const add = [&](config::Deck const& deck, std::int64_t index) {
    auto directory = DynamicsDeck::bind(deck).directory;
    if (!options.directory.empty()) directory = options.directory;
    if (cases > 0) directory = case_directory(directory, static_cast<std::size_t>(index));
    if (!DynamicsDeck::ended(deck.resolved(), directory)) training::RunDirectory::check(directory, false);
    runs.push_back({deck, directory, index, cases});
  };
  if (cases > 0 && options.case_index < 0) {
    for_each_case(
        file, [&](std::size_t index, config::Deck& deck, auto const&) { add(deck, static_cast<std::int64_t>(index)); });
  } else {
    add(deck_of_case(file, options.case_index), std::max<std::int64_t>(options.case_index, 0));
  }
  return runs;
}

}  // namespace

DynamicsDeck DynamicsDeck::bind(config::Deck const& deck) {
  DynamicsDeck config;
  auto root = deck.root();
  auto run = root.section("run");
  run.bind("name", config.name, "what the run is called in plots and in the default of output.directory");
  run.bind("steps", config.steps, "number of times t = 0, 1, … to write", config::at_least_one);
  config.model = dynamics::ToyModel::bind(root.section("dynamics"));
  config.directory = "runs/" + config.name;
  root.section("output").bind("directory", config.directory, "where the run is written; -d takes precedence");
  root.section("sweep").free_form();
  deck.check_all_known();
  return config;
}

std::optional<io::Status> DynamicsDeck::ended(std::string const& resolved, std::string const& directory) {
  fs::path const file = fs::path(directory) / "trajectory.h5";
  if (!fs::exists(file)) return {};
  try {
    auto const trajectory = io::Trajectory::load(file);
    require_input(trajectory.description().deck == resolved, file.string(),
                  ": holds a run of another deck; name another directory");
    return trajectory.status();
  } catch (Error const& error) {
    throw InputError(error.what());
  }
}

CLI::App* add_dynamics(CLI::App& app, DynamicsOptions& options) {
  auto* const command = app.add_subcommand("dynamics", "run a toy model of the paper, or all cases of its sweep");
  command->add_option("deck", options.deck, "the deck, a YAML file with a section dynamics")->required();
  command->add_option("overrides", options.overrides, "section.key=value, takes precedence over the deck");
  command->add_option("-d,--directory", options.directory, "run directory; takes precedence over output.directory");
  command->add_option("--case", options.case_index, "only this case of the deck's sweep")
      ->check(CLI::NonNegativeNumber);
  command->footer(
      "Exit codes: 0 finished, 2 bad input, 3 one diverged, 85 interrupted between cases, 1 anything else.");
  return command;
}

int run_dynamics(DynamicsOptions const& options, std::string const& command_line,
                 training::StopSignals const& signals) {
  auto const runs = runs_of(options, read_deck(options.deck, options.overrides));
  training::Log log(true);
  bool diverged = false, has_written = false;
  for (auto const& run : runs) {
    bool const is_done = DynamicsDeck::ended(run.deck.resolved(), run.directory).has_value();
    // Every start writes a case: then it is worth another one.
    if (!is_done && has_written && signals.noted() >= 0) {
      log.info(concat("stopped before ", run.directory, ": ", signals.name()));
      return exit_interrupted;
    }
    if (perform(run, command_line, log) == io::Status::diverged) diverged = true;
    has_written = has_written || !is_done;
  }
  return diverged ? exit_diverged : exit_finished;
}

}  // namespace onedge::app
