#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/memory_plan.hpp>
#include <onedge/training/past.hpp>
#include <onedge/training/trainer.hpp>

#include <sstream>

#include "run_state.hpp"
#include "same_data.hpp"
#include "stored_deck.hpp"

namespace onedge::training {

namespace {

/// Where the run starts: what the directory calls for, the same on every rank.
struct Start {
  std::int64_t ended = 0;        // the run's status, if it has nothing left to do
  std::int64_t checkpoint = -1;  // the step to go on from; −1: none
  std::int64_t is_used = 0;      // there was a start before
  std::int64_t micro_batch = 0;  // that of the checkpoint; 0: not known
};

/// Says what is damaged and gives it another name.
void set_aside(RunContext& context, RunDirectory const& directory, Past const& past) {
  for (auto const& damage : past.damages) {
    auto const target = directory.set_aside(damage.file);
    context.log.warn(concat(damage.reason, "; it is now ", target.filename().string(), ", and the run goes on from ",
                            io::checkpoint_name(past.checkpoint->step)));
  }
}

/// How the run has ended, if it has nothing left to do: found without its samples, and without writing. Otherwise
/// throws InputError where its directory will not do, before anything costs time.
std::optional<io::Status> end_of(TrainingConfig const& config, std::string const& deck, bool fresh) {
  bool const goes_on = !fresh && RunDirectory::inspect(config.directory) == RunDirectory::Contents::run;
  auto ended = goes_on ? status_of_past(config, deck, config.directory) : std::nullopt;
  if (!ended) RunDirectory::check(config.directory, fresh);
  return ended;
}

/// The same on every rank; running: it has something left to do. Collective.
io::Status find_end(RunContext const& context, bool fresh) {
  auto status = io::Status::running;
  comm::agree(context.communicator, [&] {
    if (context.communicator.rank() != 0) return;
    status = end_of(context.config, context.deck, fresh).value_or(status);
  });
  context.communicator.broadcast(&status, sizeof status, 0);
  return status;
}

io::Status say_ended(RunContext const& context, io::Status ended) {
  context.log.info(concat("the run in ", context.config.directory, " has already ", io::to_string(ended)));
  return ended;
}

/// What there is to say about the file that a run goes on from.
std::vector<std::string> notes_on(DataComparison const& data, io::Writer const& writer) {
  std::vector<std::string> notes{other_writer(data.file, writer), data.unknown()};
  std::erase(notes, "");
  return notes;
}

/// Rank 0: takes the directory and looks what is there.
Start look(RunContext& context, bool fresh, std::unique_ptr<RunDirectory>& directory,
           std::optional<io::Checkpoint>& checkpoint) {
  std::filesystem::path const path = context.config.directory;
  RunDirectory::check(path, fresh);
  directory = std::make_unique<RunDirectory>(path, fresh);
  Start start;
  start.is_used = RunDirectory::inspect(path) == RunDirectory::Contents::run ? 1 : 0;
  Past past = Past::read(path);
  auto const ended = past.ended(context.config, context.deck);
  if (ended) {
    start.ended = static_cast<std::int64_t>(*ended);
    return start;
  }
  std::optional<DataComparison> data;
  if (past.checkpoint) {
    data = DataComparison(path / io::checkpoint_name(past.checkpoint->step), *past.checkpoint, context.config.data,
                          context.data);
    data->require_same("a run goes on with the samples it began with: put them back, or name another directory");
    bool const lacks_test = !data->stored.test.empty() && data->present.test.empty();
    require_input(!lacks_test || context.config.evaluation_every == 0, data->file, ": the run had test samples, and ",
                  data->path, " has none");
    context.data = data->joined();
  }
  context.log.open_file(directory->log());
  if (!directory->is_locked()) {
    context.log.warn(
        concat("the file system of ", path.string(), " has no locks: take care that only one run writes there"));
  }
  if (!past.checkpoint) return start;
  set_aside(context, *directory, past);
  for (auto const& note : notes_on(*data, past.checkpoint->writer)) context.log.warn(note);
  start.checkpoint = past.checkpoint->step;
  start.micro_batch = static_cast<std::int64_t>(past.micro_batch());
  checkpoint = std::move(past.checkpoint);
  // Starts that made no checkpoint are starts all the same.
  if (past.trajectory) checkpoint->trajectory->set_segments(past.trajectory->segments());
  return start;
}

/// Takes the directory and reads the checkpoint to go on from, on every rank. Collective.
Start take_directory(RunContext& context, bool fresh, std::unique_ptr<RunDirectory>& directory,
                     std::optional<io::Checkpoint>& checkpoint) {
  Start start;
  bool const is_writer = context.communicator.rank() == 0;
  comm::agree(context.communicator, [&] {
    if (is_writer) start = look(context, fresh, directory, checkpoint);
  });
  context.communicator.broadcast(&start, sizeof start, 0);
  comm::agree(context.communicator, [&] {
    if (is_writer || start.checkpoint < 0) return;
    auto const name = io::checkpoint_name(start.checkpoint);
    checkpoint = io::read_checkpoint(std::filesystem::path(context.config.directory) / name);
  });
  return start;
}

/// The checkpoint of run.branch. Throws InputError unless this deck can go on from it.
io::Checkpoint read_branch(TrainingConfig const& config, network::ParameterLayout const& layout) {
  io::Checkpoint checkpoint;
  try {
    checkpoint = io::read_checkpoint(config.branch);
    require_complete(checkpoint, config.branch);
    parameters_of<double>(checkpoint, layout);
  } catch (Error const& error) {
    throw InputError(concat("run.branch: ", error.what()));
  }
  auto const deck = stored_deck(checkpoint.deck, config.branch, checkpoint.writer);
  auto const kind = TrainingConfig::bind(deck).optimizer.kind;
  require_input(kind == config.optimizer.kind, "run.branch: ", config.branch, " has the optimizer ", kind,
                ", the deck ", config.optimizer.kind, "; a branch keeps the optimizer");
  require_input(config.steps > checkpoint.step, "run.branch: ", config.branch, " is that of step ", checkpoint.step,
                ", so run.steps must be above that; it is ", config.steps);
  return checkpoint;
}

/// Throws InputError where a branch's samples are others than its checkpoint's and the deck does not ask for others;
/// returns what there is to say about them.
std::vector<std::string> check_branch_data(RunContext const& context, io::Checkpoint const& checkpoint) {
  auto const& config = context.config;
  DataComparison const data(config.branch, checkpoint, config.data, context.data);
  auto notes = notes_on(data, checkpoint.writer);
  auto const present = config::Deck::from_text(context.deck, "deck");
  TrainingConfig::bind(present);
  if (same_choice_of_data(stored_deck(checkpoint.deck, config.branch, checkpoint.writer), present)) {
    data.require_same(
        "run.branch goes on with its checkpoint's samples, unless the deck's section data asks for others");
  } else if (auto const text = data.difference(); !text.empty()) {
    notes.push_back(concat("run.branch: ", text, ", as the deck's section data asks for"));
  }
  return notes;
}

/// Whether there is a checkpoint to go on from, so that weights to begin with are not needed. Collective.
bool has_checkpoints(RunContext const& context) {
  bool found = false;
  comm::agree(context.communicator, [&] {
    if (context.communicator.rank() == 0) found = !io::list_checkpoints(context.config.directory).empty();
  });
  context.communicator.broadcast(&found, sizeof found, 0);
  return found;
}

template <class Real>
struct Origin {
  std::unique_ptr<Problem<Real, DefaultSpace>> problem;
  std::vector<Real> weights;             // of a new run
  std::optional<io::Checkpoint> branch;  // or this
  std::vector<std::string> notes;        // on the branch
  network::Demand demand;
  MemoryBudget budget;
};

/// Everything that can be wrong with the input is found here, before anything is written. Collective.
template <class Real>
Origin<Real> prepare(RunContext& context) {
  Origin<Real> origin;
  bool const goes_on = has_checkpoints(context);
  comm::agree(context.communicator, [&] {
    apply_math(context.config);
    auto& [problem, weights, branch, notes, demand, budget] = origin;
    problem = std::make_unique<Problem<Real, DefaultSpace>>(context.config, context.communicator,
                                                            [&](std::string const& text) { context.log.info(text); });
    auto const length = run_length(context.config, *problem);
    context.config.steps = length.steps;
    demand = demand_of(context.config, *tuner::make_tuner(context.config.tuner, length));
    budget = training_budget(*problem, context.config, demand, context.communicator.local_size());
    plan_memory(*problem, context.config, demand, budget);
    problem->read_samples();
    if (goes_on) return;
    if (context.config.branch.empty()) {
      weights = problem->initial_parameters(context.config);
    } else {
      branch = read_branch(context.config, problem->network().parameters());
    }
  });
  origin.problem->make_shards(context.communicator);
  context.data = origin.problem->identity();
  comm::agree(context.communicator, [&] {
    if (origin.branch) origin.notes = check_branch_data(context, *origin.branch);
  });
  return origin;
}

/// It was for this start. What cannot be removed stops every one after its first step.
void remove_stop_file(RunContext& context, RunDirectory const& directory) {
  std::error_code error;
  std::filesystem::remove(directory.stop(), error);
  if (error) {
    context.log.warn(concat("cannot remove ", directory.stop().string(), ": ", error.message(),
                            "; it stops every start after one step"));
  }
}

/// Decides the micro-batch: where the deck leaves it open, a run keeps the one that it had. Collective.
template <class Real>
void settle_micro_batch(RunContext& context, Origin<Real> const& origin, std::int64_t before,
                        std::optional<io::Checkpoint>& checkpoint) {
  auto& config = context.config;
  MemoryPlan plan;
  comm::agree(context.communicator, [&] {
    plan = plan_memory(*origin.problem, config, origin.demand, origin.budget, static_cast<std::size_t>(before));
  });
  bool const is_open = config.micro_batch == 0 && before > 0;
  config.micro_batch = static_cast<std::int64_t>(least_micro_batch(context.communicator, plan));
  if (!is_open || config.micro_batch == before) return;
  auto const message = concat("the micro-batch was ", before, " samples, which now do not fit into memory: it is ",
                              config.micro_batch, ", and with run.reduction: fast the bits change");
  context.log.warn(message);
  checkpoint->trajectory->warn(checkpoint->step, message);
}

template <class Real>
io::Status train_in(RunContext& context, bool fresh) {
  StopRequest stop(context.communicator, context.config.walltime);
  auto origin = prepare<Real>(context);
  std::unique_ptr<RunDirectory> directory;
  std::optional<io::Checkpoint> checkpoint;
  Start const start = take_directory(context, fresh, directory, checkpoint);
  std::filesystem::path const path = context.config.directory;
  auto const ended = static_cast<io::Status>(start.ended);
  if (ended != io::Status::running) {
    return say_ended(context, ended);
  }
  for (auto const& text : origin.problem->warnings()) context.log.warn(text);
  context.directory = directory.get();
  if (directory) stop.watch(directory->stop());
  settle_micro_batch(context, origin, start.micro_batch, checkpoint);
  Trainer<Real, DefaultSpace> trainer(context, std::move(origin.problem));
  if (checkpoint) {
    context.log.info(concat("going on from step ", checkpoint->step));
    comm::agree(context.communicator, [&] { trainer.restore(std::move(*checkpoint)); });
  } else {
    for (auto const& note : origin.notes) context.log.warn(note);
    auto const first = origin.branch ? origin.branch->step : 0;
    if (start.is_used != 0) {
      context.log.info(concat("the directory holds no checkpoint: starting again from step ", first));
    }
    comm::agree(context.communicator,
                [&] { origin.branch ? trainer.branch(*origin.branch) : trainer.begin(origin.weights); });
  }
  auto const status = trainer.run(stop);
  if (directory && status == io::Status::interrupted) remove_stop_file(context, *directory);
  context.log.info(concat(io::to_string(status), ": ", (path / "trajectory.h5").string()));
  context.directory = nullptr;
  return status;
}

}  // namespace

io::Status train(RunContext& context, bool fresh) {
  auto const ended = find_end(context, fresh);
  if (ended != io::Status::running) return say_ended(context, ended);
  return context.config.precision == Precision::single_precision ? train_in<float>(context, fresh)
                                                                 : train_in<double>(context, fresh);
}

namespace {

template <class Real>
std::string describe_in(TrainingConfig config, std::string const& deck, comm::Launch const& launch, Log& log) {
  apply_math(config);
  Problem<Real, DefaultSpace> const problem(config, 0, launch.size);
  for (auto const& text : problem.warnings()) log.warn(text);
  auto const length = run_length(config, problem);
  config.steps = length.steps;
  auto const demand = demand_of(config, *tuner::make_tuner(config.tuner, length));
  auto const budget = training_budget(problem, config, demand, launch.local_size);
  plan_memory(problem, config, demand, budget);
  if (!io::list_checkpoints(config.directory).empty()) {
    // It goes on from there.
  } else if (config.branch.empty()) {
    problem.initial_parameters(config);
  } else {
    read_branch(config, problem.network().parameters());
  }
  auto const past = Past::read(config.directory);
  past.ended(config, deck);
  auto const plan = plan_memory(problem, config, demand, budget, past.micro_batch());
  std::ostringstream text;
  text << "# parameters: " << problem.network().parameters().size() << "\n";
  for (auto const& tensor : problem.network().parameters().tensors()) {
    text << "#   " << tensor.name << " [";
    for (std::size_t i = 0; i < tensor.parameter.shape.size(); ++i)
      text << (i ? ", " : "") << tensor.parameter.shape[i];
    text << "]\n";
  }
  bool const is_divided = config.data.standardize == "none" && problem.data_description().type == "uint8";
  text << "# data: " << data::to_string(problem.data_description()) << (is_divided ? ", divided by 255" : "") << "\n";
  text << "# samples: " << problem.partition().samples() << " in " << problem.partition().blocks() << " blocks of "
       << config.block << " on " << launch.size << " rank(s); micro-batch "
       << std::min(plan.micro_batch, problem.sample_count()) << "\n";
  if (problem.steps_per_epoch() > 0) {
    text << "# batches: " << problem.steps_per_epoch() << " of " << config.batch.size << " samples per epoch\n";
  }
  text << "# steps: " << length.steps << "\n";
  text << "# memory per rank: " << megabytes(budget.fixed + plan.planes) << " (samples and vectors "
       << megabytes(budget.fixed) << ", planes " << megabytes(plan.planes)
       << "); free: " << (budget.free == unknown_bytes ? "no device is visible here" : megabytes(budget.free)) << "\n";
  return text.str();
}

}  // namespace

std::string describe(TrainingConfig const& config, std::string const& deck, comm::Launch const& launch, Log& log) {
  if (auto const ended = end_of(config, deck, false)) {
    return deck + concat("# the run has already ", io::to_string(*ended), ": would write nothing\n");
  }
  std::string text = deck;
  text += config.precision == Precision::single_precision ? describe_in<float>(config, deck, launch, log)
                                                          : describe_in<double>(config, deck, launch, log);
  text += concat("# would write: ", config.directory, "/trajectory.h5, run.log");
  if (config.checkpoint_every > 0) text += ", checkpoint-########.h5";
  return text + "\n";
}

}  // namespace onedge::training
