#pragma once
#include <onedge/io/checkpoint.hpp>
#include <onedge/io/trajectory.hpp>
#include <onedge/training/training_config.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace onedge::training {

/// What a run directory holds of earlier starts of the program. Reading it changes nothing.
struct Past {
  /// A file that cannot be read, and why.
  struct Damage {
    std::filesystem::path file;
    std::string reason;
  };

  std::filesystem::path directory;
  std::optional<io::Trajectory> trajectory;
  std::optional<io::Checkpoint> checkpoint;  ///< the newest that is whole
  std::vector<Damage> damages;               ///< those newer than this checkpoint, and the trajectory

  /// Only the trajectory.
  static Past read_trajectory(std::filesystem::path const& directory);
  /// Throws InputError, which names all of them, when something is damaged and no checkpoint is whole.
  static Past read(std::filesystem::path const& directory);

  /// The micro-batch with which the checkpoint was made; 0: not known.
  std::size_t micro_batch() const;

  /// finished or diverged when the run has nothing left to do under this deck, which may ask for more steps, or for
  /// another run.stop.loss_above than the one that ended it. Throws InputError, which names the key and both values,
  /// when what is there belongs to another deck, and when a run that has ended has no checkpoint to go on from.
  std::optional<io::Status> ended(TrainingConfig const& config, std::string const& deck) const;
};

/// Throws Error, which names the file, unless it holds all that a run needs to go on from it.
void require_complete(io::Checkpoint const& checkpoint, std::filesystem::path const& file);

/// Past::ended of what the directory's trajectory says; nothing where there is no run. Writes nothing and reads no
/// samples.
std::optional<io::Status> status_of_past(TrainingConfig const& config, std::string const& deck,
                                         std::filesystem::path const& directory);

}  // namespace onedge::training
