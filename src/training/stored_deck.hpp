#pragma once
// The decks inside trajectories and checkpoints, which other versions of the program may have written.
#include <onedge/config/deck.hpp>
#include <onedge/io/trajectory.hpp>

#include <string>

namespace onedge::training {

/// A stored deck with every key bound. Throws InputError, which names the program that wrote the file, for one that
/// this version does not understand.
config::Deck stored_deck(std::string const& text, std::string const& file, io::Writer const& writer);

/// "OnEdge 1.2.0 (0123abc)"
std::string name_of(io::Writer const& writer);

/// What there is to say where another program wrote the file that this one goes on from; empty where it was this one.
std::string other_writer(std::string const& file, io::Writer const& writer);

/// Whether both decks choose the same samples, wherever these lie: every key of data but data.path. Both are bound.
bool same_choice_of_data(config::Deck const& one, config::Deck const& other);

}  // namespace onedge::training
