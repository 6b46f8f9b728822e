#include <onedge/core/error.hpp>
#include <onedge/training/past.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "stored_deck.hpp"

namespace onedge::training {

namespace fs = std::filesystem;

namespace {

/// Throws InputError at the first key that differs and may not.
void check_same_deck(std::string const& stored, io::Writer const& writer, std::string const& present,
                     fs::path const& file) {
  auto const old_deck = stored_deck(stored, file.string(), writer);
  auto const new_deck = config::Deck::from_text(present, "deck");
  TrainingConfig::bind(new_deck);
  std::map<std::string, std::string> before;
  for (auto const& [key, value] : old_deck.values()) before[key] = value;
  for (auto const& [key, value] : new_deck.values()) {
    auto const found = before.find(key);
    std::string const old_value = found == before.end() ? "absent" : found->second;
    require_input(old_value == value || may_change_on_resume(key), file.string(), ": the run has ", key, ": ",
                  old_value, ", the deck ", value, "; name another directory, or the run's own deck");
  }
}

std::string list_of(std::vector<Past::Damage> const& damages) {
  std::string text;
  for (auto const& damage : damages) text += (text.empty() ? "" : "; ") + damage.reason;
  return text;
}

/// run.steps, or what batch.epochs makes of them.
std::int64_t steps_of(TrainingConfig const& config, io::Description const& run) {
  if (config.steps > 0 || config.batch.epochs == 0) return config.steps;
  return config.batch.epochs * std::max<std::int64_t>(1, run.samples / config.batch.size);
}

/// Whether run.stop.loss_above ended a diverged run: the step whose loss is above it is recorded, one whose loss is no
/// number is not.
bool ended_at_limit(io::Trajectory const& trajectory, fs::path const& file) {
  auto const& losses = trajectory.table("steps").values("loss");
  auto const deck = stored_deck(trajectory.description().deck, file.string(), trajectory.writer());
  return !losses.empty() && losses.back() > TrainingConfig::bind(deck).loss_above;
}

/// Whether a run that has finished or diverged has nothing left to do under this deck.
bool is_over(TrainingConfig const& config, io::Trajectory const& trajectory, fs::path const& file) {
  auto const& steps = trajectory.table("steps");
  double const last = steps.size() == 0 ? std::nan("") : steps.values("loss").back();
  if (trajectory.status() == io::Status::diverged) {
    return !ended_at_limit(trajectory, file) || last > config.loss_above;
  }
  auto const done = steps.size() == 0 ? 0 : steps.steps().back() + 1;
  return done >= steps_of(config, trajectory.description()) || last < config.loss_below;
}

}  // namespace

Past Past::read_trajectory(fs::path const& directory) {
  Past past;
  past.directory = directory;
  auto const path = directory / "trajectory.h5";
  std::error_code failure;
  if (!fs::exists(path, failure) && !failure) return past;
  try {
    past.trajectory = io::Trajectory::load(path);
  } catch (Error const& error) {
    past.damages.push_back({path, error.what()});
  }
  return past;
}

Past Past::read(fs::path const& directory) {
  Past past = read_trajectory(directory);
  auto const files = io::list_checkpoints(directory);
  for (auto file = files.rbegin(); file != files.rend() && !past.checkpoint; ++file) {
    try {
      past.checkpoint = io::read_checkpoint(file->path);
      require_complete(*past.checkpoint, file->path);
      require(past.checkpoint->step == file->step, "damaged checkpoint: ", file->path.string(), " is that of step ",
              past.checkpoint->step);
    } catch (Error const& error) {
      past.checkpoint.reset();
      past.damages.push_back({file->path, error.what()});
    }
  }
  require_input(past.checkpoint || past.damages.empty(), directory.string(),
                ": there is no whole checkpoint to go on from: ", list_of(past.damages),
                "; nothing was changed: put good files in their place, or name another directory");
  return past;
}

std::size_t Past::micro_batch() const {
  if (!checkpoint || checkpoint->trajectory->segments().empty()) return 0;
  return static_cast<std::size_t>(checkpoint->trajectory->segments().back().micro_batch);
}

std::optional<io::Status> Past::ended(TrainingConfig const& config, std::string const& deck) const {
  if (checkpoint) {
    check_same_deck(checkpoint->deck, checkpoint->writer, deck, directory / io::checkpoint_name(checkpoint->step));
  }
  if (!trajectory) return {};
  auto const file = directory / "trajectory.h5";
  check_same_deck(trajectory->description().deck, trajectory->writer(), deck, file);
  auto const status = trajectory->status();
  bool const has_ended = status == io::Status::finished || status == io::Status::diverged;
  if (!has_ended || !trajectory->has("steps")) return {};
  if (is_over(config, *trajectory, file)) return status;
  require_input(!io::list_checkpoints(directory).empty(), directory.string(), ": this run ",
                status == io::Status::finished ? "finished" : "ended at run.stop.loss_above", " after ",
                trajectory->table("steps").size(), " steps and kept no checkpoint to go on from");
  return {};
}

void require_complete(io::Checkpoint const& checkpoint, fs::path const& file) {
  bool const has_trajectory = checkpoint.trajectory && !checkpoint.trajectory->segments().empty();
  require(has_trajectory, "damaged checkpoint: ", file.string(), " holds no trajectory");
  for (char const* const group : {"optimizer", "tuner", "training"}) {
    require(checkpoint.states.contains(group), "damaged checkpoint: ", file.string(), " has no group /", group);
  }
}

std::optional<io::Status> status_of_past(TrainingConfig const& config, std::string const& deck,
                                         fs::path const& directory) {
  return Past::read_trajectory(directory).ended(config, deck);
}

}  // namespace onedge::training
