#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/memory_plan.hpp>
#include <onedge/training/past.hpp>
#include <onedge/training/trainer.hpp>

#include <sstream>

#include "run_state.hpp"

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
  context.log.open_file(directory->log());
  if (!directory->is_locked()) {
    context.log.warn(
        concat("the file system of ", path.string(), " has no locks: take care that only one run writes there"));
  }
  if (!past.checkpoint) return start;
  set_aside(context, *directory, past);
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
    parameters_of<double>(checkpoint, layout);
  } catch (Error const& error) {
    throw InputError(concat("run.branch: ", error.what()));
  }
  auto const deck = config::Deck::from_text(checkpoint.deck, config.branch);
  auto const kind = TrainingConfig::bind(deck).optimizer.kind;
  require_input(kind == config.optimizer.kind, "run.branch: ", config.branch, " has the optimizer ", kind,
                ", the deck ", config.optimizer.kind, "; a branch keeps the optimizer");
  require_input(config.steps > checkpoint.step, "run.branch: ", config.branch, " is that of step ", checkpoint.step,
                ", so run.steps must be above that; it is ", config.steps);
  return checkpoint;
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
    auto& [problem, weights, branch, demand, budget] = origin;
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
    context.log.info(concat("the run in ", path.string(), " has already ", io::to_string(ended)));
    return ended;
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
  RunDirectory::check(config.directory, false);
  std::string text = deck;
  text += config.precision == Precision::single_precision ? describe_in<float>(config, deck, launch, log)
                                                          : describe_in<double>(config, deck, launch, log);
  text += concat("# would write: ", config.directory, "/trajectory.h5, run.log");
  if (config.checkpoint_every > 0) text += ", checkpoint-########.h5";
  return text + "\n";
}

}  // namespace onedge::training
