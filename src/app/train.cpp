#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/trainer.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

#include "commands.hpp"
#include "deck_file.hpp"

namespace onedge::app {

namespace {

/// The whole sweep is checked, and its first case shown.
config::Deck checked_sweep(DeckFile const& file) {
  for_each_case(file, [](std::size_t, config::Deck& deck, auto const&) { training::TrainingConfig::bind(deck); });
  return deck_of_case(file, 0);
}

/// What the command line chooses of a deck: all of it, or one case of its sweep.
struct Case {
  training::TrainingConfig config;
  std::string deck;  // with every default filled in
  std::int64_t index = 0;
  std::int64_t cases = 0;  // 0: no sweep
};

/// Throws InputError.
Case case_of(DeckFile const& file, TrainOptions const& options) {
  Case chosen;
  chosen.index = std::max<std::int64_t>(options.case_index, 0);
  chosen.cases = static_cast<std::int64_t>(file.deck().cases().size());
  bool const all = chosen.cases > 0 && options.case_index < 0 && options.dry_run;
  auto const deck = all ? checked_sweep(file) : deck_of_case(file, options.case_index);
  chosen.config = training::TrainingConfig::bind(deck);
  chosen.deck = deck.resolved();
  auto& directory = chosen.config.directory;
  if (!options.directory.empty()) directory = options.directory;
  if (chosen.cases > 0) directory = case_directory(directory, static_cast<std::size_t>(chosen.index));
  return chosen;
}

}  // namespace

CLI::App* add_train(CLI::App& app, TrainOptions& options) {
  auto* const command = app.add_subcommand("train", "train what a deck describes, or go on with it");
  command->add_option("deck", options.deck, "the deck, a YAML file; its keys: docs/keys.md")->required();
  command->add_option("overrides", options.overrides, "section.key=value, takes precedence over the deck");
  command->add_option("-d,--directory", options.directory, "run directory; takes precedence over output.directory");
  command
      ->add_option("--case", options.case_index, "which case of the deck's sweep; its run directory is case-NNNN below")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--fresh", options.fresh, "begin a new run: the directory must be absent or empty");
  command->add_flag("--dry-run", options.dry_run, "check everything, show deck, sizes and files; write nothing");
  command->footer(
      "Exit codes: 0 finished, 2 bad input, 3 diverged, 85 interrupted after a checkpoint, 1 anything else.");
  return command;
}

int run_train(TrainOptions const& options, std::string const& command_line, comm::MpiCommunicator const& world) {
  auto const file = read_deck(options.deck, options.overrides, world);
  Case chosen;
  comm::agree(world, [&] { chosen = case_of(file, options); });
  training::Log log(world.rank() == 0);
  training::RunContext context{chosen.config, chosen.deck, command_line, world,
                               log,           nullptr,     chosen.index, chosen.cases};
  auto const status = training::train(context, options.fresh);
  if (status == io::Status::interrupted) return exit_interrupted;
  return status == io::Status::diverged ? exit_diverged : exit_finished;
}

int run_dry(TrainOptions const& options, comm::Launch const& launch) {
  auto const chosen = case_of(read_deck(options.deck, options.overrides), options);
  training::Log log(true);
  std::fputs(training::describe(chosen.config, chosen.deck, launch, log).c_str(), stdout);
  if (chosen.cases > 0) {
    std::printf("# sweep: %lld cases; shown: %s\n", static_cast<long long>(chosen.cases),
                chosen.config.directory.c_str());
  }
  return exit_finished;
}

}  // namespace onedge::app
