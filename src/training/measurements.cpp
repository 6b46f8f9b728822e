#include <onedge/training/measurements.hpp>

#include <algorithm>
#include <cmath>

#include "run_state.hpp"

namespace onedge::training {

template <class Real, class Space>
Measurements<Real, Space>::Measurements(TrainingConfig const& config,
                                        std::optional<tuner::SharpnessDemand> const& demand,
                                        Problem<Real, Space> const& problem,
                                        objective::Objective<Real, Space>& objective,
                                        optimizer::Optimizer<Real, Space> const& optimizer,
                                        comm::Communicator const& communicator, Stop stop)
    : m_config(config), m_stop(std::move(stop)) {
  using spectrum::OperatorKind;
  auto const pool =
      std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, objective.parameters(), config.reproducible);
  auto const make = [&](OperatorKind kind, spectrum::SolverOptions options, std::int64_t count,
                        std::optional<Tracking> tracking) {
    options.stop = m_stop.wanted;
    spectrum::EigenTracker<Real, Space> tracker(options, static_cast<int>(count),
                                                static_cast<std::uint64_t>(config.seed));
    return std::make_unique<Meter>(objective, optimizer, pool, kind, std::move(tracker), tracking);
  };
  auto const& sharpness = config.sharpness;
  if (demand) {
    spectrum::SolverOptions options;
    options.tolerance = demand->tolerance;
    m_tuner_meter =
        make(demand->preconditioned ? OperatorKind::preconditioned_hessian : OperatorKind::hessian, options, 1, {});
  }
  if (sharpness.every > 0) {
    std::optional<Tracking> tracking;
    auto const all = static_cast<std::int64_t>(objective.parameters());
    if (sharpness.tracks()) {
      tracking = {sharpness.track_above, static_cast<int>(std::min(sharpness.maximum_count, all))};
    }
    for (auto const kind : sharpness.operators) {
      m_meters.push_back(make(kind, sharpness.solver, sharpness.count, tracking));
    }
  }
  if (config.evaluation_every == 0) return;
  std::size_t const at_once = evaluation_samples(config);
  m_train_evaluator = std::make_unique<objective::Evaluator<Real, Space>>(
      Space(), problem.network(), problem.shard(), problem.partition(), communicator, at_once, config.reproducible);
  if (!problem.has_test_samples()) return;
  m_test_evaluator = std::make_unique<objective::Evaluator<Real, Space>>(Space(), problem.network(),
                                                                         problem.test_shard(), problem.test_partition(),
                                                                         communicator, at_once, config.reproducible);
}

template <class Real, class Space>
void Measurements<Real, Space>::declare(io::Trajectory& trajectory) {
  if (m_train_evaluator) {
    m_evaluations = &trajectory.declare("evaluation", io::evaluation_columns(m_test_evaluator != nullptr));
  }
  if (m_config.gain_every > 0) m_gains = &trajectory.declare("gain", io::gain_columns());
  for (auto const& meter : m_meters) {
    auto const columns =
        io::sharpness_columns(static_cast<std::size_t>(m_config.sharpness.count), spectrum::solver_names());
    m_sharpness.push_back(&trajectory.declare(table_name(meter->kind()), columns));
  }
}

template <class Real, class Space>
Sharpness Measurements<Real, Space>::ended(Sharpness found) const {
  if (found.stopped) m_stop.has_ended();
  return found;
}

template <class Real, class Space>
double Measurements<Real, Space>::tuner_sharpness(std::int64_t step, Constant gradient, Constant update) {
  return ended(m_tuner_meter->measure(step, gradient, update)).eigenvalues.front();
}

template <class Real, class Space>
bool Measurements<Real, Space>::solves(std::int64_t step) const {
  return m_tuner_meter || (!m_meters.empty() && step % m_config.sharpness.every == 0);
}

template <class Real, class Space>
Rows Measurements<Real, Space>::measure(std::int64_t step, Constant parameters, Constant gradient, Constant update,
                                        double learning_rate, ObjectiveLine<Real, Space>& line) {
  Rows rows;
  if (m_train_evaluator && step % m_config.evaluation_every == 0) evaluate(parameters, rows);
  if (!m_meters.empty() && step % m_config.sharpness.every == 0) {
    line.return_to_point();
    measure_sharpness(step, gradient, update, learning_rate, rows);
  }
  if (m_config.gain_every > 0 && step % m_config.gain_every == 0) measure_gain(line, rows);
  return rows;
}

template <class Real, class Space>
void Measurements<Real, Space>::evaluate(Constant parameters, Rows& rows) {
  auto const train = (*m_train_evaluator)(parameters);
  io::Record row{{"train_accuracy", train.accuracy}};
  if (m_test_evaluator) {
    auto const test = (*m_test_evaluator)(parameters);
    row.insert({{"test_loss", test.loss}, {"test_accuracy", test.accuracy}});
  }
  rows.emplace_back(m_evaluations, row);
}

template <class Real, class Space>
void Measurements<Real, Space>::measure_sharpness(std::int64_t step, Constant gradient, Constant update,
                                                  double learning_rate, Rows& rows) {
  ScopedRegion const region("Trainer", "measure_sharpness");
  auto const names = spectrum::solver_names();
  for (std::size_t i = 0; i < m_meters.size(); ++i) {
    auto const found = ended(m_meters[i]->measure(step, gradient, update, learning_rate));
    std::vector<double> const converged(found.converged.begin(), found.converged.end());
    auto const solver = std::find(names.begin(), names.end(), found.solver) - names.begin() + 1;
    rows.emplace_back(m_sharpness.empty() ? nullptr : m_sharpness[i],
                      io::Record{{"eigenvalues", found.eigenvalues},
                                 {"residuals", found.residuals},
                                 {"converged", converged},
                                 {"hvps", found.products},
                                 {"solver", solver},
                                 {"edge", learning_rate * found.eigenvalues.front()},
                                 {"alignment", found.alignment},
                                 {"seconds", found.seconds}});
  }
}

// Figure 16 of the paper: f(w + ηu) at η = σn/d, for σ = 1 and 2.
template <class Real, class Space>
void Measurements<Real, Space>::measure_gain(ObjectiveLine<Real, Space>& line, Rows& rows) {
  ScopedRegion const region("Trainer", "measure_gain");
  double const descent = std::max(-line.slope(), 0.0);
  double const curvature = std::abs(line.curvature());
  double const greedy = curvature > 0 ? descent / curvature : 0;
  rows.emplace_back(m_gains, io::Record{{"greedy", line.loss_at(greedy)}, {"on_edge", line.loss_at(2 * greedy)}});
}

template <class Real, class Space>
std::vector<std::pair<std::string, SharpnessMeter<Real, Space>*>> Measurements<Real, Space>::meters() const {
  std::vector<std::pair<std::string, Meter*>> all;
  for (auto const& meter : m_meters) all.emplace_back(table_name(meter->kind()), meter.get());
  if (m_tuner_meter) all.emplace_back(tuner_meter_group, m_tuner_meter.get());
  return all;
}

template <class Real, class Space>
typename Measurements<Real, Space>::Trackers Measurements<Real, Space>::trackers() const {
  Trackers trackers;
  for (auto const& [name, meter] : meters()) trackers.push_back(meter->tracker());
  return trackers;
}

template <class Real, class Space>
void Measurements<Real, Space>::set_trackers(Trackers const& trackers) {
  auto tracker = trackers.begin();
  for (auto const& [name, meter] : meters()) meter->set_tracker(*tracker++);
}

template <class Real, class Space>
void Measurements<Real, Space>::add_state(io::Checkpoint& checkpoint) const {
  for (auto const& [name, meter] : meters()) checkpoint.states[name] = meter->state();
}

// What is measured may change on the way, so a meter may have no state yet.
template <class Real, class Space>
void Measurements<Real, Space>::restore(io::Checkpoint const& checkpoint) {
  for (auto const& [name, meter] : meters()) {
    auto const saved = checkpoint.states.find(name);
    if (saved != checkpoint.states.end()) meter->restore(saved->second);
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Measurements<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
