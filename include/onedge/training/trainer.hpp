#pragma once
#include <onedge/comm/launch.hpp>
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/profile.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/io/trajectory.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/training/log.hpp>
#include <onedge/training/loss_watch.hpp>
#include <onedge/training/measurements.hpp>
#include <onedge/training/objective_line.hpp>
#include <onedge/training/problem.hpp>
#include <onedge/training/run_directory.hpp>
#include <onedge/training/stop_request.hpp>
#include <onedge/training/training_config.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace onedge::training {

/// Everything about a run that is the same in every precision.
struct RunContext {
  TrainingConfig config;
  std::string deck;  // with every default filled in
  std::string command_line;
  comm::MpiCommunicator const& communicator;
  Log& log;
  RunDirectory const* directory = nullptr;  // on rank 0
  std::int64_t case_index = 0;              // of a sweep
  std::int64_t cases = 0;                   // 0: no sweep
  data::Identity data = {};                 // what the samples are
};

/// The training loop: gradient → update → learning rate → record → new weights, with what is written on the way.
template <class Real, class Space>
class Trainer {
 public:
  /// The problem has its samples, the configuration a micro-batch (0: all samples). Allocates everything.
  Trainer(RunContext& context, std::unique_ptr<Problem<Real, Space>> problem);

  // Where a run starts; exactly one of these, before run().
  /// At step 0 with these weights.
  void begin(std::vector<Real> const& initial);
  /// At the step of another run's checkpoint, with its weights, optimizer and eigenvectors: only the tuner is new.
  void branch(io::Checkpoint const& checkpoint);
  /// At the step of this run's checkpoint, as if nothing had happened since.
  void restore(io::Checkpoint checkpoint);

  /// Trains up to run.steps, or as long as nobody wants it to stop. Returns finished, diverged or interrupted;
  /// everything up to the last step is stored. What it throws leaves a trajectory that says failed, if that can be
  /// written.
  io::Status run(StopRequest& stop);

 private:
  using Constant = VectorWindow<Real const, Space>;
  using Clock = std::chrono::steady_clock;
  struct BrokenOff : std::exception {};
  /// What a step changes before it ends.
  struct StepStart {
    io::State optimizer;
    std::map<std::string, double> tuner;
    typename Measurements<Real, Space>::Trackers trackers;
  };

  void prepare_vectors();
  void prepare_trajectory();
  void take_over(io::Checkpoint const& checkpoint);
  void start();
  io::Status train(StopRequest& stop);
  /// One step at w_t, or none at all: finished (of the step), diverged, or interrupted within it.
  io::Status make_step();
  /// Its work; false when the run has diverged.
  bool step();
  /// Whether an eigen-solve is to end now because somebody wants the run to stop. Collective.
  bool wants_to_break_off();
  /// After such a solve: gives the step up, unless it is the first of this start, which goes on with what there is.
  void break_off();
  /// In the log and in the trajectory.
  void warn(std::string const& message);
  /// u from the gradient.
  void update();
  /// w ← w + ηu.
  void move(double learning_rate);
  /// `curvature`: what the tuner has asked for.
  void record(objective::Losses const& losses, double learning_rate, std::optional<double> curvature,
              std::int64_t evaluations, double seconds);
  bool diverge(std::string const& reason) { return warn("diverged: " + reason), false; }
  void after_step();
  void report(Profile const& profile);
  void publish();
  void write_checkpoint();
  io::Checkpoint make_checkpoint();
  /// w, once it is sure that all ranks have the same. Throws Error where not. Collective.
  std::vector<Real> weights() const;
  std::int64_t evaluations() const;

  RunContext& m_context;
  Space m_space;
  std::unique_ptr<Problem<Real, Space>> m_problem;
  std::unique_ptr<optimizer::Optimizer<Real, Space>> m_optimizer;
  std::unique_ptr<tuner::Tuner> m_tuner;
  std::unique_ptr<objective::Objective<Real, Space>> m_objective;
  std::unique_ptr<ObjectiveLine<Real, Space>> m_line;
  std::unique_ptr<Measurements<Real, Space>> m_measurements;
  Vector<Real, Space> m_parameters, m_gradient, m_update, m_previous_update;
  StopRequest* m_stop = nullptr;
  std::int64_t m_step = 0;          // steps done
  std::int64_t m_start_step = 0;    // those before this start of the program
  std::int64_t m_first_step = 0;    // of the run
  std::int64_t m_stored_step = -1;  // of the last checkpoint
  bool m_has_previous = false;
  bool m_is_below_target = false;
  std::optional<io::Trajectory> m_trajectory;
  LossWatch m_watch;
  io::Table* m_steps = nullptr;
  io::Table* m_curvatures = nullptr;  // where the curvature has a cadence of its own
  Clock::time_point m_last_publication;
};

/// Trains a deck in its run directory: a new run, or one that goes on. Collective. Returns the status of the run:
/// finished, diverged or interrupted.
io::Status train(RunContext& context, bool fresh);

/// What `--dry-run` shows: the deck, sizes, memory per rank, files. Opens the data and checks the deck like a run, for
/// rank 0 of those that were launched; `log` is warned of what is odd about the data. Needs neither MPI nor Kokkos nor,
/// in a build for devices, a device.
std::string describe(TrainingConfig const& config, std::string const& deck, comm::Launch const& launch, Log& log);

}  // namespace onedge::training
