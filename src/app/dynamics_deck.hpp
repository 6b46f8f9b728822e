#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/dynamics/toy_model.hpp>
#include <onedge/io/trajectory.hpp>

#include <optional>
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

  /// How this deck's run in the directory ended; nothing where there is none. Throws InputError where the directory
  /// holds another deck's, or a damaged one.
  static std::optional<io::Status> ended(std::string const& resolved, std::string const& directory);
};

}  // namespace onedge::app
