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

/// Every rank needs the checkpoint, the one that writes also the trajectory, whose deck status_of_past() has compared.
Past read_past(RunContext const& context, std::filesystem::path const& directory) {
  Past past;
  auto const checkpoints = io::list_checkpoints(directory);
  if (checkpoints.empty()) return past;
  past.checkpoint = io::read_checkpoint(checkpoints.back().path);
  check_same_deck(past.checkpoint->deck, context.deck, checkpoints.back().path);
  bool const writes = context.directory != nullptr;
  if (writes && std::filesystem::exists(directory / "trajectory.h5")) {
    past.trajectory = io::Trajectory::load(directory / "trajectory.h5");
  }
  return past;
}

}  // namespace

std::optional<io::Status> status_of_past(TrainingConfig const& config, std::string const& deck,
                                         std::filesystem::path const& directory) {
  auto const checkpoints = io::list_checkpoints(directory);
  if (!std::filesystem::exists(directory / "trajectory.h5")) {
    if (checkpoints.empty()) return {};
    check_same_deck(io::read_checkpoint(checkpoints.back().path).deck, deck, checkpoints.back().path);
    return {};
  }
  auto const trajectory = io::Trajectory::load(directory / "trajectory.h5");
  check_same_deck(trajectory.description().deck, deck, directory / "trajectory.h5");
  io::Status const status = trajectory.status();
  if (status == io::Status::diverged) return status;
  if (status != io::Status::finished || !trajectory.has("steps")) return {};
  auto const& steps = trajectory.table("steps");
  auto const done = steps.size() == 0 ? 0 : steps.steps().back() + 1;
  bool const reached = steps.size() > 0 && steps.values("loss").back() < config.loss_below;
  if (done >= config.steps || reached) return status;
  require_input(!checkpoints.empty(), directory.string(), ": this run finished after ", done,
                " steps and kept no checkpoint to go on from");
  return {};
}

namespace {

/// What the run directory calls for.
enum class Course { begin, go_on, already_finished, already_diverged };

/// Takes the directory (rank 0) and tells every rank what is to be done. Collective.
Course take_directory(RunContext& context, bool fresh, std::unique_ptr<RunDirectory>& directory) {
  std::filesystem::path const path = context.config.directory;
  auto course = static_cast<std::int64_t>(Course::begin);
  comm::agree(context.communicator, [&] {
    if (context.communicator.rank() != 0) return;
    RunDirectory::check(path, fresh);
    directory = std::make_unique<RunDirectory>(path, fresh);
    bool const used = RunDirectory::inspect(path) == RunDirectory::Contents::run;
    auto const past = status_of_past(context.config, context.deck, path);
    course = static_cast<std::int64_t>(past == io::Status::finished   ? Course::already_finished
                                       : past == io::Status::diverged ? Course::already_diverged
                                       : used                         ? Course::go_on
                                                                      : Course::begin);
    if (!past) context.log.open_file(directory->log());
  });
  context.communicator.broadcast(&course, sizeof course, 0);
  return static_cast<Course>(course);
}

template <class Real>
io::Status train_in(RunContext& context, bool fresh) {
  // Everything that can be wrong with the input is found before anything is written.
  std::unique_ptr<Problem<Real, DefaultSpace>> problem;
  std::vector<Real> initial;
  comm::agree(context.communicator, [&] {
    problem = std::make_unique<Problem<Real, DefaultSpace>>(context.config, context.communicator,
                                                            [&](std::string const& text) { context.log.info(text); });
    auto const length = run_length(context.config, *problem);
    context.config.steps = length.steps;
    tuner::make_tuner(context.config.tuner, length);
    problem->read_samples();
    initial = problem->initial_parameters(context.config);
  });
  problem->make_shards(context.communicator);
  std::unique_ptr<RunDirectory> directory;
  Course const course = take_directory(context, fresh, directory);
  std::filesystem::path const path = context.config.directory;
  if (course == Course::already_finished || course == Course::already_diverged) {
    auto const status = course == Course::already_finished ? io::Status::finished : io::Status::diverged;
    context.log.info(concat("the run in ", path.string(), " has already ", io::to_string(status)));
    return status;
  }
  context.directory = directory.get();
  Past past;
  if (course == Course::go_on) {
    comm::agree(context.communicator, [&] { past = read_past(context, path); });
  }
  Trainer<Real, DefaultSpace> trainer(context, std::move(problem), initial);
  if (past.checkpoint) {
    comm::agree(context.communicator, [&] { trainer.restore(*past.checkpoint, std::move(past.trajectory)); });
    context.log.info(concat("going on from step ", past.checkpoint->step));
  } else if (course == Course::go_on) {
    context.log.info("the directory holds no checkpoint: starting again from step 0");
  }
  auto const status = trainer.run();
  context.log.info(concat(io::to_string(status), ": ", (path / "trajectory.h5").string()));
  context.directory = nullptr;
  return status;
}

}  // namespace

io::Status train(RunContext& context, bool fresh) {
  return context.config.precision == Precision::single_precision ? train_in<float>(context, fresh)
                                                                 : train_in<double>(context, fresh);
}

namespace {

std::string megabytes(std::size_t bytes) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / 1048576.0 << " MiB";
  return text.str();
}

template <class Real>
std::string describe_in(TrainingConfig config, std::string const& deck, comm::MpiCommunicator const& communicator) {
  Problem<Real, DefaultSpace> const problem(config, communicator);
  problem.initial_parameters(config);
  auto const length = run_length(config, problem);
  config.steps = length.steps;
  auto const tuner = tuner::make_tuner(config.tuner, length);
  if (communicator.rank() == 0) status_of_past(config, deck, config.directory);
  auto const optimizer =
      optimizer::make_optimizer<Real, DefaultSpace>(config.optimizer, problem.network().parameters().size());
  auto const block = static_cast<std::size_t>(config.block);
  std::size_t const samples = problem.sample_count();
  std::size_t const vectors = 4 + optimizer->vectors().size();
  std::size_t const free = free_bytes_per_rank(communicator.local_size());
  network::Demand const demand = demand_of(config, *tuner);
  std::size_t const fixed = problem.fixed_bytes(vectors) + measurement_bytes(problem, config, demand);
  std::size_t const micro_batch =
      std::min(samples, choose_micro_batch(problem, config, demand, communicator.local_size()));
  std::size_t const workspace = problem.workspace_bytes(micro_batch, demand);
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
  if (problem.steps_per_epoch() > 0) {
    text << "# batches: " << problem.steps_per_epoch() << " of " << config.batch.size << " samples per epoch\n";
  }
  text << "# steps: " << length.steps << "\n";
  text << "# memory per rank: " << megabytes(fixed + workspace) << " (samples and vectors " << megabytes(fixed)
       << ", planes " << megabytes(workspace) << "); free: " << megabytes(free) << "\n";
  return text.str();
}

}  // namespace

std::string describe(TrainingConfig const& config, std::string const& deck, comm::MpiCommunicator const& communicator) {
  RunDirectory::check(config.directory, false);
  std::string text = deck;
  text += config.precision == Precision::single_precision ? describe_in<float>(config, deck, communicator)
                                                          : describe_in<double>(config, deck, communicator);
  text += concat("# would write: ", config.directory, "/trajectory.h5, run.log");
  if (config.checkpoint_every > 0) text += ", checkpoint-########.h5";
  return text + "\n";
}

}  // namespace onedge::training
