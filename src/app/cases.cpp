#include <onedge/training/past.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <sstream>

#include "commands.hpp"
#include "deck_file.hpp"
#include "dynamics_deck.hpp"

namespace onedge::app {

namespace {

/// "tuner.sigma=2.0", in quotes where a shell would split it.
std::string word_of(config::Assignment const& assignment) {
  std::string const text = assignment.path + "=" + assignment.value;
  if (text.find_first_of(" '\"{}[]*?$&;|<>()#~`\\") == std::string::npos) return text;
  std::string quoted = "'";
  for (char const c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// Where a case of this deck goes, and whether it has nothing left to do there.
struct Place {
  std::string directory;
  std::function<bool(std::string const& directory)> has_ended;
};

Place place_of(config::Deck const& deck) {
  if (is_dynamics(deck)) {
    auto const config = DynamicsDeck::bind(deck);
    return {config.directory, [text = deck.resolved()](std::string const& directory) {
              return DynamicsDeck::ended(text, directory).has_value();
            }};
  }
  auto const config = training::TrainingConfig::bind(deck);
  return {config.directory, [config, text = deck.resolved()](std::string const& directory) {
            return training::status_of_past(config, text, directory).has_value();
          }};
}

std::string list(CasesOptions const& options, DeckFile const& file) {
  std::ostringstream text;
  for_each_case(file, [&](std::size_t index, config::Deck& deck, std::vector<config::Assignment> const& assignments) {
    auto const place = place_of(deck);
    auto const directory = case_directory(options.directory.empty() ? place.directory : options.directory, index);
    if (options.missing && place.has_ended(directory)) return;
    text << index;
    for (auto const& assignment : assignments) text << " " << word_of(assignment);
    text << "\n";
  });
  return text.str();
}

}  // namespace

CLI::App* add_cases(CLI::App& app, CasesOptions& options) {
  auto* const command = app.add_subcommand("cases", "list the cases of a deck's sweep: index, and what it sets");
  command->add_option("deck", options.deck, "the deck, a YAML file with a section sweep")->required();
  command->add_option("overrides", options.overrides, "section.key=value, takes precedence over the deck");
  command->add_option("-d,--directory", options.directory,
                      "where the cases are; takes precedence over output.directory");
  command->add_flag("--missing", options.missing, "only those that have neither finished nor diverged");
  command->footer("Checks every case's keys. Exit codes: 0 listed, 2 bad input, 1 anything else.");
  return command;
}

int run_cases(CasesOptions const& options) {
  std::fputs(list(options, read_deck(options.deck, options.overrides)).c_str(), stdout);
  return exit_finished;
}

}  // namespace onedge::app
