#pragma once
#include <onedge/io/checkpoint.hpp>
#include <onedge/io/trajectory.hpp>
#include <onedge/objective/evaluator.hpp>
#include <onedge/training/objective_line.hpp>
#include <onedge/training/problem.hpp>
#include <onedge/training/sharpness_meter.hpp>
#include <onedge/training/training_config.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace onedge::training {

/// Records of a step, written when it ends.
using Rows = std::vector<std::pair<io::Table*, io::Record>>;

/// What a run measures beside its steps: eigenvalues, accuracy and test loss, gain. Also λ₁ for a tuner that asks for
/// it.
template <class Real, class Space>
class Measurements {
 public:
  using Constant = VectorWindow<Real const, Space>;
  using Meter = SharpnessMeter<Real, Space>;
  using Trackers = std::vector<spectrum::EigenTracker<Real, Space>>;

  struct Stop {
    std::function<bool()> wanted;     ///< asked before every product of a solve; collective
    std::function<void()> has_ended;  ///< called when a solve has ended because of that; may throw
  };

  Measurements(TrainingConfig const& config, std::optional<tuner::SharpnessDemand> const& demand,
               Problem<Real, Space> const& problem, objective::Objective<Real, Space>& objective,
               optimizer::Optimizer<Real, Space> const& optimizer, comm::Communicator const& communicator, Stop stop);

  /// Declares its tables.
  void declare(io::Trajectory& trajectory);
  /// λ₁ for the tuner, at the objective's point.
  double tuner_sharpness(std::int64_t step, Constant gradient, Constant update);
  /// What is due at w_t, with the update and the learning rate of this step.
  Rows measure(std::int64_t step, Constant parameters, Constant gradient, Constant update, double learning_rate,
               ObjectiveLine<Real, Space>& line);

  /// Whether eigenvalues are wanted at this step.
  bool solves(std::int64_t step) const;
  /// What the next solves begin with.
  Trackers trackers() const;
  void set_trackers(Trackers const& trackers);

  /// Eigenvectors for checkpoints, each group by the name of its table; restore takes what is there.
  void add_state(io::Checkpoint& checkpoint) const;
  void restore(io::Checkpoint const& checkpoint);

 private:
  std::vector<std::pair<std::string, Meter*>> meters() const;
  Sharpness ended(Sharpness found) const;
  void evaluate(Constant parameters, Rows& rows);
  void measure_sharpness(std::int64_t step, Constant gradient, Constant update, double learning_rate, Rows& rows);
  void measure_gain(ObjectiveLine<Real, Space>& line, Rows& rows);

  TrainingConfig const& m_config;
  Stop m_stop;
  std::vector<std::unique_ptr<Meter>> m_meters;  // of measure.sharpness
  std::unique_ptr<Meter> m_tuner_meter;
  std::unique_ptr<objective::Evaluator<Real, Space>> m_train_evaluator, m_test_evaluator;
  std::vector<io::Table*> m_sharpness;  // one for each meter
  io::Table* m_evaluations = nullptr;
  io::Table* m_gains = nullptr;
};

}  // namespace onedge::training
