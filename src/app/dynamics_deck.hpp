#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/dynamics/toy_model.hpp>

#include <string>

namespace onedge::app {

/// A deck of `onedge dynamics`: sections run, dynamics, output (and sweep).
struct DynamicsDeck {
  std::string name = "dynamics";
  std::int64_t steps = 100;
  dynamics::ToyModel model;
  std::string directory;

  /// Binds every key and checks that no other is there. Throws InputError.
  static DynamicsDeck bind(config::Deck const& deck);

  /// Whether the directory holds this deck's trajectory. Throws InputError where it holds another deck's.
  static bool has_ended(std::string const& resolved, std::string const& directory);
};

}  // namespace onedge::app
