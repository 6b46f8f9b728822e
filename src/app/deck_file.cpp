#include "deck_file.hpp"

#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>

#include <fstream>
#include <iomanip>
#include <sstream>

namespace onedge::app {

config::Deck DeckFile::deck() const {
  auto deck = config::Deck::from_text(text, name);
  for (auto const& assignment : overrides) deck.override_with(assignment);
  return deck;
}

DeckFile read_deck(std::string const& path, std::vector<std::string> const& overrides) {
  std::ifstream file(path);
  require_input(file.good(), "cannot read the deck ", path);
  return {config::read_text(file, "cannot read the deck " + path), path, overrides};
}

DeckFile read_deck(std::string const& path, std::vector<std::string> const& overrides,
                   comm::Communicator const& world) {
  std::string text;
  comm::agree(world, [&] {
    if (world.rank() == 0) text = read_deck(path, overrides).text;
  });
  std::uint64_t size = text.size();
  world.broadcast(&size, sizeof size, 0);
  text.resize(size);
  world.broadcast(text.data(), size, 0);
  return {text, path, overrides};
}

std::string case_directory(std::string const& directory, std::size_t index) {
  std::ostringstream text;
  text << directory << "/case-" << std::setw(4) << std::setfill('0') << index;
  return text.str();
}

void for_each_case(DeckFile const& file, CaseWork const& work) {
  auto const whole = file.deck();
  auto const cases = whole.cases();
  require_input(!cases.empty(), file.name, ": it has no section sweep, and so no cases");
  for (std::size_t index = 0; index < cases.size(); ++index) {
    auto deck = whole.of_case(cases[index]);
    work(index, deck, cases[index]);
  }
}

config::Deck deck_of_case(DeckFile const& file, std::int64_t index) {
  auto deck = file.deck();
  auto const cases = deck.cases();
  if (cases.empty()) {
    require_input(index < 0, file.name, ": --case ", index, ": the deck has no section sweep, and so no cases");
    return deck;
  }
  require_input(index >= 0, file.name, ": the deck sweeps over ", cases.size(),
                " cases; choose one with --case N (onedge cases ", file.name, " lists them)");
  auto const number = static_cast<std::size_t>(index);
  require_input(number < cases.size(), file.name, ": --case ", index, ": the cases are 0 to ", cases.size() - 1);
  deck.apply(cases[number]);
  return deck;
}

bool is_dynamics(config::Deck const& deck) { return deck.root().given("dynamics"); }

}  // namespace onedge::app
