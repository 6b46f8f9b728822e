#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/trainer.hpp>

#include <iomanip>

namespace onedge::training {

namespace {

/// What a run directory holds of an earlier start.
struct Past {
  std::optional<io::Checkpoint> checkpoint;
  std::optional<io::Trajectory> trajectory;
};

/// Throws InputError at the first key that differs and may not.
void check_same_deck(std::string const& stored, std::string const& present, std::filesystem::path const& file) {
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

Past read_past(RunContext const& context, std::filesystem::path const& directory) {
  Past past;
  auto const checkpoints = io::list_checkpoints(directory);
  if (std::filesystem::exists(directory / "trajectory.h5")) {
    past.trajectory = io::Trajectory::load(directory / "trajectory.h5");
    check_same_deck(past.trajectory->description().deck, context.deck, directory / "trajectory.h5");
  }
  if (!checkpoints.empty()) {
    past.checkpoint = io::read_checkpoint(checkpoints.back().path);
    check_same_deck(past.checkpoint->deck, context.deck, checkpoints.back().path);
  }
  if (!past.checkpoint) past.trajectory.reset();
  return past;
}

/// finished or diverged when the directory holds a run that has nothing left to do.
std::optional<io::Status> status_of_past(RunContext const& context, std::filesystem::path const& directory) {
  if (!std::filesystem::exists(directory / "trajectory.h5")) return {};
  auto const trajectory = io::Trajectory::load(directory / "trajectory.h5");
  check_same_deck(trajectory.description().deck, context.deck, directory / "trajectory.h5");
  io::Status const status = trajectory.status();
  if (status == io::Status::diverged) return status;
  if (status != io::Status::finished || !trajectory.has("steps")) return {};
  auto const& steps = trajectory.table("steps");
  auto const done = steps.size() == 0 ? 0 : steps.steps().back() + 1;
  bool const reached = steps.size() > 0 && steps.values("loss").back() < context.config.loss_below;
  if (done >= context.config.steps || reached) return status;
  require_input(!io::list_checkpoints(directory).empty(), directory.string(), ": this run finished after ", done,
                " steps and kept no checkpoint to go on from");
  return {};
}

template <class Real>
io::Status train_in(RunContext& context, bool resumes, std::filesystem::path const& directory) {
  std::unique_ptr<Trainer<Real, DefaultSpace>> trainer;
  Past past;
  if (resumes) {
    comm::agree(context.communicator, [&] { past = read_past(context, directory); });
  }
  trainer = std::make_unique<Trainer<Real, DefaultSpace>>(context);
  if (past.checkpoint) {
    bool const mine = context.directory != nullptr;
    comm::agree(context.communicator,
                [&] { trainer->restore(*past.checkpoint, mine ? std::move(past.trajectory) : std::nullopt); });
    context.log.info(concat("going on from step ", past.checkpoint->step));
  } else if (resumes) {
    context.log.info("the directory holds no checkpoint: starting again from step 0");
  }
  return trainer->run();
}

}  // namespace

io::Status train(RunContext& context, bool fresh) {
  auto const& communicator = context.communicator;
  std::filesystem::path const path = context.config.directory;
  bool const speaks = communicator.rank() == 0;
  std::unique_ptr<RunDirectory> directory;
  std::optional<io::Status> past;
  std::int64_t resumes = 0;
  // Everything that can be wrong with the input is found before anything is written.
  if (context.config.precision == Precision::single_precision) {
    comm::agree(communicator, [&] { Problem<float, DefaultSpace>(context.config, communicator); });
  } else {
    comm::agree(communicator, [&] { Problem<double, DefaultSpace>(context.config, communicator); });
  }
  comm::agree(communicator, [&] {
    tuner::make_tuner(context.config.tuner, context.config.steps);
    if (!speaks) return;
    RunDirectory::check(path, fresh);
    past = status_of_past(context, path);
    if (past) return;
    resumes = RunDirectory::inspect(path) == RunDirectory::Contents::run ? 1 : 0;
    directory = std::make_unique<RunDirectory>(path, fresh);
    context.log.open_file(directory->log());
  });
  std::int64_t state[2] = {past ? static_cast<std::int64_t>(*past) + 1 : 0, resumes};
  communicator.all_reduce(state, 2);
  if (state[0] > 0) {
    auto const status = static_cast<io::Status>(state[0] - 1);
    context.log.info(concat("the run in ", path.string(), " has already ", io::to_string(status)));
    return status;
  }
  context.directory = directory.get();
  auto const status = context.config.precision == Precision::single_precision
                          ? train_in<float>(context, state[1] > 0, path)
                          : train_in<double>(context, state[1] > 0, path);
  context.log.info(concat(io::to_string(status), ": ", (path / "trajectory.h5").string()));
  context.directory = nullptr;
  return status;
}

namespace {

std::string megabytes(std::size_t bytes) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / 1048576.0 << " MiB";
  return text.str();
}

template <class Real>
std::string describe_in(TrainingConfig const& config, comm::MpiCommunicator const& communicator) {
  Problem<Real, DefaultSpace> const problem(config, communicator);
  problem.initial_parameters(config);
  auto const tuner = tuner::make_tuner(config.tuner, config.steps);
  auto const optimizer =
      optimizer::make_optimizer<Real, DefaultSpace>(config.optimizer, problem.network().parameters().size());
  auto const block = static_cast<std::size_t>(config.block);
  std::size_t const samples = problem.partition().sample_count(communicator.rank());
  std::size_t const vectors = 4 + optimizer->vectors().size();
  std::size_t const fixed = problem.fixed_bytes(vectors);
  std::size_t const free = free_bytes_per_rank(communicator.local_size());
  std::size_t micro_batch = static_cast<std::size_t>(config.micro_batch);
  if (micro_batch == 0) {
    auto const bytes = static_cast<std::size_t>(0.7 * static_cast<double>(free));
    micro_batch = fitting_micro_batch(problem, demand_of(*tuner), samples, block, bytes);
  }
  micro_batch = std::min(micro_batch, samples);
  std::size_t const workspace = problem.workspace_bytes(micro_batch, demand_of(*tuner));
  std::ostringstream text;
  text << "# parameters: " << problem.network().parameters().size() << "\n";
  for (auto const& tensor : problem.network().parameters().tensors()) {
    text << "#   " << tensor.name << " [";
    for (std::size_t i = 0; i < tensor.parameter.shape.size(); ++i)
      text << (i ? ", " : "") << tensor.parameter.shape[i];
    text << "]\n";
  }
  text << "# samples: " << problem.partition().samples() << " in " << problem.partition().blocks() << " blocks of "
       << block << " on " << communicator.size() << " rank(s); micro-batch " << micro_batch << "\n";
  text << "# memory per rank: " << megabytes(fixed + workspace) << " (samples and vectors " << megabytes(fixed)
       << ", planes " << megabytes(workspace) << "); free: " << megabytes(free) << "\n";
  return text.str();
}

}  // namespace

std::string describe(TrainingConfig const& config, std::string const& deck, comm::MpiCommunicator const& communicator) {
  RunDirectory::check(config.directory, false);
  std::string text = deck;
  text += config.precision == Precision::single_precision ? describe_in<float>(config, communicator)
                                                          : describe_in<double>(config, communicator);
  text += concat("# would write: ", config.directory, "/trajectory.h5, run.log");
  if (config.checkpoint_every > 0) text += ", checkpoint-########.h5";
  return text + "\n";
}

}  // namespace onedge::training
