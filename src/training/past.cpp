#include <onedge/core/error.hpp>
#include <onedge/training/past.hpp>

#include <map>

namespace onedge::training {

namespace fs = std::filesystem;

namespace {

/// Throws InputError at the first key that differs and may not.
void check_same_deck(std::string const& stored, std::string const& present, fs::path const& file) {
  auto const old_deck = config::Deck::from_text(stored, file.string());
  auto const new_deck = config::Deck::from_text(present, "deck");
  TrainingConfig::bind(old_deck);
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

}  // namespace

Past Past::read_trajectory(fs::path const& directory) {
  Past past;
  past.directory = directory;
  auto const path = directory / "trajectory.h5";
  if (!fs::exists(path)) return past;
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
      require(past.checkpoint->trajectory.has_value(), "damaged checkpoint: ", file->path.string(),
              " holds no trajectory");
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
  if (checkpoint) check_same_deck(checkpoint->deck, deck, directory / io::checkpoint_name(checkpoint->step));
  if (!trajectory) return {};
  check_same_deck(trajectory->description().deck, deck, directory / "trajectory.h5");
  auto const status = trajectory->status();
  if (status == io::Status::diverged) return status;
  if (status != io::Status::finished || !trajectory->has("steps")) return {};
  auto const& steps = trajectory->table("steps");
  auto const done = steps.size() == 0 ? 0 : steps.steps().back() + 1;
  bool const reached = steps.size() > 0 && steps.values("loss").back() < config.loss_below;
  if (done >= config.steps || reached) return status;
  require_input(!io::list_checkpoints(directory).empty(), directory.string(), ": this run finished after ", done,
                " steps and kept no checkpoint to go on from");
  return {};
}

std::optional<io::Status> status_of_past(TrainingConfig const& config, std::string const& deck,
                                         fs::path const& directory) {
  return Past::read_trajectory(directory).ended(config, deck);
}

}  // namespace onedge::training
