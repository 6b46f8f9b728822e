#include "stored_deck.hpp"

#include <onedge/core/error.hpp>
#include <onedge/core/version.hpp>
#include <onedge/training/training_config.hpp>

#include <algorithm>

namespace onedge::training {

config::Deck stored_deck(std::string const& text, std::string const& file, io::Writer const& writer) {
  try {
    auto deck = config::Deck::from_text(text, file);
    TrainingConfig::bind(deck);
    return deck;
  } catch (InputError const& error) {
    throw InputError(concat(error.what(), "; this deck was stored by ", name_of(writer), ", and ",
                            name_of({software_version(), git_revision()}), " does not understand it"));
  }
}

std::string name_of(io::Writer const& writer) { return concat("OnEdge ", writer.version, " (", writer.revision, ")"); }

std::string other_writer(std::string const& file, io::Writer const& writer) {
  io::Writer const present{software_version(), git_revision()};
  if (writer.version == present.version && writer.revision == present.revision) return "";
  return concat(file, " was written by ", name_of(writer), "; this is ", name_of(present));
}

bool same_choice_of_data(config::Deck const& one, config::Deck const& other) {
  auto const choice = [](config::Deck const& deck) {
    auto values = deck.values();
    std::erase_if(values,
                  [](auto const& value) { return !value.first.starts_with("data.") || value.first == "data.path"; });
    std::sort(values.begin(), values.end());
    return values;
  };
  return choice(one) == choice(other);
}

}  // namespace onedge::training
