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
  training::TrainingConfig config;
  std::string resolved;
  std::size_t cases = 0;
  auto const index = std::max<std::int64_t>(options.case_index, 0);
  comm::agree(world, [&] {
    cases = file.deck().cases().size();
    bool const all = cases > 0 && options.case_index < 0 && options.dry_run;
    auto const deck = all ? checked_sweep(file) : deck_of_case(file, options.case_index);
    config = training::TrainingConfig::bind(deck);
    resolved = deck.resolved();
    if (!options.directory.empty()) config.directory = options.directory;
    if (cases > 0) config.directory = case_directory(config.directory, static_cast<std::size_t>(index));
  });
  training::Log log(world.rank() == 0);
  training::RunContext context{config, resolved, command_line, world,
                               log,    nullptr,  index,        static_cast<std::int64_t>(cases)};
  if (options.dry_run) {
    std::string description;
    comm::agree(world, [&] { description = training::describe(context.config, context.deck, world, log); });
    if (world.rank() != 0) return exit_finished;
    std::fputs(description.c_str(), stdout);
    if (cases > 0) std::printf("# sweep: %zu cases; shown: %s\n", cases, context.config.directory.c_str());
    return exit_finished;
  }
  auto const status = training::train(context, options.fresh);
  if (status == io::Status::interrupted) return exit_interrupted;
  return status == io::Status::diverged ? exit_diverged : exit_finished;
}

}  // namespace onedge::app
