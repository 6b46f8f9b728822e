#pragma once
// Decks as commands get them: a file, overrides, one case of a sweep.
#include <onedge/comm/communicator.hpp>
#include <onedge/config/deck.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace onedge::app {

/// A deck's text and where it came from.
struct DeckFile {
  std::string text;
  std::string name;
  std::vector<std::string> overrides;

  /// A deck of its own, with the overrides. Throws InputError.
  config::Deck deck() const;
};

/// Throws InputError.
DeckFile read_deck(std::string const& path, std::vector<std::string> const& overrides);
/// Rank 0 reads, everybody gets the text: no file system sees thousands of readers of one small file. Collective.
DeckFile read_deck(std::string const& path, std::vector<std::string> const& overrides, comm::Communicator const& world);

/// DIRECTORY/case-0007
std::string case_directory(std::string const& directory, std::size_t index);

/// Calls work(index, deck, what the case sets) for every case of the deck's sweep, each with a deck of its own. Throws
/// InputError.
using CaseWork =
    std::function<void(std::size_t index, config::Deck& deck, std::vector<config::Assignment> const& assignments)>;
void for_each_case(DeckFile const& file, CaseWork const& work);

/// The deck of one case; without a sweep, the deck itself. `index` < 0: none was named, which a sweep does not allow.
/// Throws InputError.
config::Deck deck_of_case(DeckFile const& file, std::int64_t index);

/// Whether it is a deck of `onedge dynamics`.
bool is_dynamics(config::Deck const& deck);

}  // namespace onedge::app
