#include <onedge/comm/agreement.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/trainer.hpp>

#include <algorithm>
#include <cmath>

#include "profile_report.hpp"
#include "run_state.hpp"
#include "same_weights.hpp"
#include "segment.hpp"

namespace onedge::training {

template <class Real, class Space>
Trainer<Real, Space>::Trainer(RunContext& context, std::unique_ptr<Problem<Real, Space>> problem)
    : m_context(context),
      m_problem(std::move(problem)),
      m_tuner(tuner::make_tuner(context.config.tuner, run_length(context.config, *m_problem))) {
  TrainingConfig const& config = context.config;
  prepare_vectors();
  auto const& network = m_problem->network();
  m_objective = std::make_unique<objective::Objective<Real, Space>>(
      m_space, network, m_problem->step_shard(), m_problem->step_partition(), context.communicator,
      objective::Options{static_cast<std::size_t>(config.micro_batch), config.reproducible, config.model.weight_decay});
  m_objective->reserve(demand_of(config, *m_tuner));
  m_line = std::make_unique<ObjectiveLine<Real, Space>>(
      m_space, *m_objective, [this](std::int64_t, std::string const& message) { warn(message); },
      [this](bool) { return m_measurements->tuner_sharpness(m_step, m_gradient, m_update); },
      m_problem->steps_per_epoch());
  m_measurements = std::make_unique<Measurements<Real, Space>>(
      config, m_tuner->sharpness_demand(), *m_problem, *m_objective, *m_optimizer, context.communicator,
      typename Measurements<Real, Space>::Stop{[this] { return wants_to_break_off(); }, [this] { break_off(); }});
}

template <class Real, class Space>
void Trainer<Real, Space>::prepare_vectors() {
  std::size_t const count = m_problem->network().parameters().size();
  m_parameters = uninitialised<Vector<Real, Space>>("onedge::Trainer::parameters", count);
  m_gradient = uninitialised<Vector<Real, Space>>("onedge::Trainer::gradient", count);
  m_update = uninitialised<Vector<Real, Space>>("onedge::Trainer::update", count);
  m_previous_update = uninitialised<Vector<Real, Space>>("onedge::Trainer::previous_update", count);
  m_optimizer = optimizer::make_optimizer<Real, Space>(m_context.config.optimizer, count);
}

template <class Real, class Space>
void Trainer<Real, Space>::prepare_trajectory() {
  auto const& config = m_context.config;
  io::Description const description{m_context.deck,
                                    m_context.command_line,
                                    config.precision,
                                    static_cast<std::int64_t>(m_parameters.extent(0)),
                                    static_cast<std::int64_t>(m_problem->partition().samples()),
                                    m_context.case_index,
                                    m_context.cases,
                                    m_context.data};
  io::Segment const segment = make_segment(m_context.communicator, m_step, config.micro_batch);
  if (m_context.directory == nullptr) return;
  if (!m_trajectory) m_trajectory.emplace(description);
  m_trajectory->set_description(description);
  m_trajectory->begin(segment, m_problem->warnings());
  if (auto const unlike = unlike_ranks(segment); !unlike.empty()) warn(unlike);
  std::vector<std::string> names{"loss", "data_loss", "learning_rate", "slope"};
  if (m_tuner->curvature_every() == 1) names.emplace_back("curvature");
  names.insert(names.end(), {"gradient_norm", "update_norm", "update_cosine", "evaluations", "seconds"});
  m_steps = &m_trajectory->declare("steps", io::step_columns(names));
  if (m_tuner->curvature_every() > 1) {
    m_curvatures = &m_trajectory->declare("curvature", io::step_columns({"slope", "curvature"}));
  }
  m_measurements->declare(*m_trajectory);
}

template <class Real, class Space>
void Trainer<Real, Space>::begin(std::vector<Real> const& initial) {
  m_parameters = to_space<Real, Space>(initial, "onedge::Trainer::parameters");
}

template <class Real, class Space>
void Trainer<Real, Space>::branch(io::Checkpoint const& checkpoint) {
  take_over(checkpoint);
  m_first_step = checkpoint.step;
}

template <class Real, class Space>
void Trainer<Real, Space>::restore(io::Checkpoint checkpoint) {
  take_over(checkpoint);
  m_tuner->restore(checkpoint.states.at("tuner").numbers);
  m_first_step = checkpoint.trajectory->segments().front().first_step;
  m_watch.see(*checkpoint.trajectory);
  if (m_context.directory != nullptr) m_trajectory = std::move(checkpoint.trajectory);
  m_stored_step = m_step;
}

template <class Real, class Space>
void Trainer<Real, Space>::take_over(io::Checkpoint const& checkpoint) {
  begin(parameters_of<Real>(checkpoint, m_problem->network().parameters()));
  training::restore(*m_optimizer, checkpoint.states.at("optimizer"));
  m_measurements->restore(checkpoint);
  io::State const& training = checkpoint.states.at("training");
  m_has_previous = training.vectors.contains("previous_update");
  if (m_has_previous) {
    m_previous_update = to_space<Real, Space>(io::converted<Real>(training.vectors.at("previous_update")),
                                              "onedge::Trainer::previous_update");
  }
  m_step = m_start_step = checkpoint.step;
}

template <class Real, class Space>
io::Status Trainer<Real, Space>::run(StopRequest& stop) {
  try {
    return train(stop);
  } catch (...) {
    if (m_trajectory) {
      m_trajectory->set_status(io::Status::failed);
      try {
        publish();
      } catch (Error const&) {  // the first failure says more
      }
    }
    throw;
  }
}

template <class Real, class Space>
void Trainer<Real, Space>::start() {
  prepare_trajectory();
  m_context.log.info(concat(m_context.config.name, ": ", m_parameters.extent(0), " parameters, ",
                            m_problem->partition().samples(), " samples on ", m_context.communicator.size(),
                            " rank(s), micro-batch ", m_objective->micro_batch(), ", ",
                            to_string(m_context.config.precision), " precision, ", comm::backend_name()));
  m_last_publication = Clock::now();
  publish();
  if (m_context.config.checkpoint_every > 0 && m_stored_step < 0) write_checkpoint();
}

template <class Real, class Space>
io::Status Trainer<Real, Space>::train(StopRequest& stop) {
  TrainingConfig const& config = m_context.config;
  std::optional<Profile> profile;
  if (config.profile) profile.emplace();
  m_stop = &stop;
  start();
  io::Status status = io::Status::finished;
  std::string reason;
  while (status == io::Status::finished && m_step < config.steps && !m_is_below_target) {
    reason = stop.reason();
    if (reason.empty()) {
      status = make_step();
      if (status == io::Status::interrupted) reason = stop.reason();
    } else {
      status = io::Status::interrupted;
    }
  }
  m_context.log.end_progress();
  bool const wants_checkpoint =
      status == io::Status::interrupted || (status == io::Status::finished && config.checkpoint_every > 0);
  if (!wants_checkpoint && status == io::Status::finished) weights();
  if (wants_checkpoint && m_stored_step != m_step) write_checkpoint();
  if (profile) report(*profile);
  if (m_trajectory) m_trajectory->set_status(status);
  publish();
  if (!reason.empty()) m_context.log.info(concat("stopped at step ", m_step, ": ", reason));
  return status;
}

template <class Real, class Space>
io::Status Trainer<Real, Space>::make_step() {
  std::optional<StepStart> before;
  if (m_measurements->solves(m_step)) {
    before = {state_of(*m_optimizer), m_tuner->state(), m_measurements->trackers()};
  }
  try {
    if (!step()) return io::Status::diverged;
  } catch (BrokenOff const&) {
    // As if the step had not begun: another start makes it with the same bits.
    training::restore(*m_optimizer, before.value().optimizer);
    m_tuner->restore(before->tuner);
    m_measurements->set_trackers(before->trackers);
    if (m_trajectory) m_trajectory->forget_warnings(m_step);
    return io::Status::interrupted;
  }
  after_step();
  return io::Status::finished;
}

template <class Real, class Space>
bool Trainer<Real, Space>::wants_to_break_off() {
  constexpr double patience = 10;  // seconds that the first step of a start gets, since every start makes one
  double const waiting = m_stop->waiting();
  return waiting >= 0 && (m_step > m_start_step || waiting > patience);
}

template <class Real, class Space>
void Trainer<Real, Space>::break_off() {
  if (m_step > m_start_step) throw BrokenOff();
  warn("eigenvalues as far as they were when the run was to stop");
}

template <class Real, class Space>
void Trainer<Real, Space>::report(Profile const& profile) {
  auto rows = gather_profile(profile, m_context.communicator);
  m_context.log.info(profile_text(rows));
  if (m_trajectory) m_trajectory->set_profile(std::move(rows));
}

template <class Real, class Space>
bool Trainer<Real, Space>::step() {
  ScopedRegion const region("Trainer", "step");
  // Ranks with devices wait here, not in NCCL, for the one that writes files: NCCL's watchdog would call it dead.
  if (m_context.communicator.device() != nullptr) m_context.communicator.barrier();
  auto const begin = Clock::now();
  if (m_problem->load_step(m_space, m_step)) m_objective->samples_changed();
  m_objective->set_point(m_parameters);
  auto const losses = comm::of_rank_0(m_context.communicator, m_objective->gradient(m_gradient));
  if (!std::isfinite(losses.loss)) return diverge("the loss is not finite");
  if (auto const message = m_watch.see(m_step, losses.loss)) warn(*message);
  update();
  m_line->begin(m_step, m_parameters, losses.loss, m_gradient, m_update,
                m_has_previous ? Constant(m_previous_update) : Constant());
  if (!std::isfinite(m_line->update_norm())) return diverge("the update is not finite");
  std::int64_t const before = evaluations();
  double const learning_rate = comm::of_rank_0(m_context.communicator, m_tuner->learning_rate(*m_line));
  if (!std::isfinite(learning_rate)) return diverge("the learning rate is not finite");
  std::int64_t const spent = evaluations() - before;
  auto const curvature = m_line->knows_curvature() ? std::optional(m_line->known_curvature()) : std::nullopt;
  auto const pause = Clock::now();
  auto rows = m_measurements->measure(m_step, m_parameters, m_gradient, m_update, learning_rate, *m_line);
  auto const resume = Clock::now();
  move(learning_rate);
  auto const time = Clock::now() - begin - (resume - pause);
  record(losses, learning_rate, curvature, spent, std::chrono::duration<double>(time).count());
  for (auto const& [table, row] : rows) {
    if (m_trajectory) table->append(m_step, row);
  }
  std::swap(m_update, m_previous_update);
  m_has_previous = true;
  m_context.log.progress({m_step + 1, m_context.config.steps, losses.loss, learning_rate});
  if (losses.loss > m_context.config.loss_above) {
    return diverge(concat("the loss ", losses.loss, " is above run.stop.loss_above"));
  }
  m_is_below_target = losses.loss < m_context.config.loss_below;
  return true;
}

template <class Real, class Space>
void Trainer<Real, Space>::update() {
  ScopedRegion const region("Trainer", "update");
  m_optimizer->update(m_space, m_gradient, m_update);
}

template <class Real, class Space>
void Trainer<Real, Space>::move(double learning_rate) {
  ScopedRegion const region("Trainer", "move");
  linalg::add_scaled<Real>(m_space, m_parameters, static_cast<Real>(learning_rate), m_update, m_parameters);
  m_space.fence();
}

template <class Real, class Space>
void Trainer<Real, Space>::record(objective::Losses const& losses, double learning_rate,
                                  std::optional<double> curvature, std::int64_t evaluations, double seconds) {
  if (!m_trajectory) return;
  io::Record row{{"loss", losses.loss},
                 {"data_loss", losses.data_loss},
                 {"learning_rate", learning_rate},
                 {"slope", m_line->slope()},
                 {"gradient_norm", m_line->gradient_norm()},
                 {"update_norm", m_line->update_norm()},
                 {"update_cosine", m_line->update_cosine()},
                 {"evaluations", evaluations},
                 {"seconds", seconds}};
  if (m_tuner->curvature_every() == 1) row.insert({"curvature", curvature.value()});
  m_steps->append(m_step, row);
  if (m_curvatures != nullptr && curvature) {
    m_curvatures->append(m_step, {{"slope", m_line->slope()}, {"curvature", *curvature}});
  }
}

template <class Real, class Space>
void Trainer<Real, Space>::warn(std::string const& message) {
  if (m_trajectory) m_trajectory->warn(m_step, message);
  m_context.log.warn(concat("step ", m_step, ": ", message));
}

template <class Real, class Space>
void Trainer<Real, Space>::after_step() {
  ++m_step;
  auto const& config = m_context.config;
  if (config.checkpoint_every > 0 && m_step % config.checkpoint_every == 0) {
    write_checkpoint();
    publish();
  } else if (std::chrono::duration<double>(Clock::now() - m_last_publication).count() > config.publish_seconds) {
    publish();
  }
}

template <class Real, class Space>
void Trainer<Real, Space>::publish() {
  if (!m_trajectory) return;
  ScopedRegion const region("Trainer", "publish");
  m_trajectory->publish(m_context.directory->trajectory());
  m_last_publication = Clock::now();
}

template <class Real, class Space>
std::vector<Real> Trainer<Real, Space>::weights() const {
  auto result = to_vector<Real, Space>(m_parameters);
  require_same_weights(m_context.communicator, result, m_step);
  return result;
}

template <class Real, class Space>
io::Checkpoint Trainer<Real, Space>::make_checkpoint() {
  io::Checkpoint checkpoint;
  checkpoint.deck = m_context.deck;
  checkpoint.step = m_step;
  checkpoint.precision = m_context.config.precision;
  checkpoint.parameters = tensors_of(weights(), m_problem->network().parameters());
  checkpoint.states["optimizer"] = state_of(*m_optimizer);
  checkpoint.states["tuner"].numbers = m_tuner->state();
  io::State& training = checkpoint.states["training"];
  if (m_has_previous) training.vectors["previous_update"] = to_vector<Real, Space>(m_previous_update);
  m_measurements->add_state(checkpoint);
  checkpoint.trajectory = m_trajectory;
  return checkpoint;
}

template <class Real, class Space>
void Trainer<Real, Space>::write_checkpoint() {
  ScopedRegion const region("Trainer", "write_checkpoint");
  auto const checkpoint = make_checkpoint();  // on every rank: eigenvectors are spread over all
  m_stored_step = m_step;
  if (!m_trajectory) return;
  io::write_checkpoint(m_context.directory->path(), checkpoint);
  io::remove_old_checkpoints(m_context.directory->path(), static_cast<std::size_t>(m_context.config.checkpoint_keep),
                             m_first_step);
}

template <class Real, class Space>
std::int64_t Trainer<Real, Space>::evaluations() const {
  auto const& counts = m_objective->counts();
  return counts.losses + counts.curvatures + counts.products;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Trainer<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
