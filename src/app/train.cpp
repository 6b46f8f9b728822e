#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/trainer.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "commands.hpp"

namespace onedge::app {

namespace {

/// Rank 0 reads, everybody gets the text: no file system sees thousands of readers of one small file.
std::string read_on_rank_0(std::string const& path, comm::Communicator const& world) {
  std::string text;
  comm::agree(world, [&] {
    if (world.rank() != 0) return;
    std::ifstream file(path);
    require_input(file.good(), "cannot read the deck ", path);
    std::ostringstream content;
    content << file.rdbuf();
    require_input(!file.bad() && file.peek() == std::ifstream::traits_type::eof(), "cannot read the deck ", path);
    text = content.str();
  });
  std::uint64_t size = text.size();
  world.broadcast(&size, sizeof size, 0);
  text.resize(size);
  world.broadcast(text.data(), size, 0);
  return text;
}

}  // namespace

CLI::App* add_train(CLI::App& app, TrainOptions& options) {
  auto* const command = app.add_subcommand("train", "train what a deck describes, or go on with it");
  command->add_option("deck", options.deck, "the deck, a YAML file; its keys: docs/keys.md")->required();
  command->add_option("overrides", options.overrides, "section.key=value, takes precedence over the deck");
  command->add_option("-d,--directory", options.directory, "run directory; takes precedence over output.directory");
  command->add_flag("--fresh", options.fresh, "begin a new run: the directory must be absent or empty");
  command->add_flag("--dry-run", options.dry_run, "check everything, show deck, sizes and files; write nothing");
  command->footer("Exit codes: 0 finished, 2 bad input, 3 diverged, 1 anything else.");
  return command;
}

int run_train(TrainOptions const& options, std::string const& command_line, comm::MpiCommunicator const& world) {
  std::string const text = read_on_rank_0(options.deck, world);
  training::TrainingConfig config;
  std::string resolved;
  comm::agree(world, [&] {
    auto deck = config::Deck::from_text(text, options.deck);
    for (auto const& assignment : options.overrides) deck.override_with(assignment);
    config = training::TrainingConfig::bind(deck);
    resolved = deck.resolved();
    if (!options.directory.empty()) config.directory = options.directory;
  });
  training::Log log(world.rank() == 0);
  training::RunContext context{config, resolved, command_line, world, log};
  if (options.dry_run) {
    std::string description;
    comm::agree(world, [&] { description = training::describe(context.config, context.deck, world); });
    if (world.rank() == 0) std::fputs(description.c_str(), stdout);
    return exit_finished;
  }
  auto const status = training::train(context, options.fresh);
  return status == io::Status::diverged ? exit_diverged : exit_finished;
}

}  // namespace onedge::app
