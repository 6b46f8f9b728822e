#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/spectrum_file.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/training/memory_plan.hpp>
#include <onedge/training/sharpness_meter.hpp>
#include <onedge/training/sharpness_study.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "run_state.hpp"
#include "same_data.hpp"
#include "stored_deck.hpp"

namespace onedge::training {

namespace {

/// Keys that say where the data are, which of them to use, or how to compute; others would make it another run's state.
bool may_override(std::string const& assignment) {
  constexpr std::array<std::string_view, 5> prefixes{
      "data.", "run.micro_batch=", "run.reduction=", "run.precision=", "run.block="};
  for (auto const prefix : prefixes) {
    if (assignment.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

struct Stored {
  io::Checkpoint checkpoint;
  TrainingConfig config;
  std::string deck;
  bool asks_for_other_data = false;
};

Stored read_stored(SharpnessStudy const& study) {
  Stored stored;
  try {
    stored.checkpoint = io::read_checkpoint(study.checkpoint);
  } catch (Error const& error) {
    throw InputError(error.what());
  }
  auto const file = study.checkpoint.string();
  auto const original = stored_deck(stored.checkpoint.deck, file, stored.checkpoint.writer);
  auto deck = config::Deck::from_text(stored.checkpoint.deck, file);
  for (auto const& assignment : study.overrides) {
    require_input(
        may_override(assignment), assignment,
        ": only data.* and run.precision, block, micro_batch, reduction may differ from the checkpoint's deck");
    deck.override_with(assignment);
  }
  stored.config = TrainingConfig::bind(deck);
  stored.config.evaluation_every = 0;  // no test samples are needed
  stored.deck = deck.resolved();
  stored.asks_for_other_data = study.other_data || !same_choice_of_data(original, deck);
  return stored;
}

/// A line for each eigenvalue.
std::string table(io::OperatorSpectrum const& found, double edge) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "%s (%s, %lld products, %.2f s)", found.name.c_str(), found.solver.c_str(),
                static_cast<long long>(found.products), found.seconds);
  std::string text = line.data();
  for (std::size_t i = 0; i < found.eigenvalues.size(); ++i) {
    std::snprintf(line.data(), line.size(), "\n  %3zu  %+.10e  residual %.1e%s", i + 1, found.eigenvalues[i],
                  found.residuals[i], found.converged[i] ? "" : "  not converged");
    text += line.data();
  }
  bool const has_edge = found.name == "hessian" || found.name == "preconditioned_hessian";
  if (has_edge && found.eigenvalues.front() > 0) {
    std::snprintf(line.data(), line.size(), "\n  the optimizer's edge %.4g is at learning rate %.6g", edge,
                  edge / found.eigenvalues.front());
    text += line.data();
  }
  return text;
}

/// The negative Hessian has the Hessian's density: once is enough.
bool wants_density(spectrum::OperatorKind kind, SharpnessStudy const& study) {
  auto const& all = study.operators;
  bool const is_repeated = kind == spectrum::OperatorKind::negative_hessian &&
                           std::find(all.begin(), all.end(), spectrum::OperatorKind::hessian) != all.end();
  return study.density && !is_repeated;
}

/// The density of −A from that of A.
void negate(spectrum::SpectralDensity& density) {
  for (double& node : density.nodes) node = -node;
  for (std::size_t probe = 0; probe < density.probes; ++probe) {
    auto const begin = static_cast<std::ptrdiff_t>(probe * density.steps);
    auto const end = begin + static_cast<std::ptrdiff_t>(density.steps);
    std::reverse(density.nodes.begin() + begin, density.nodes.begin() + end);
    std::reverse(density.weights.begin() + begin, density.weights.begin() + end);
  }
}

/// A stored state in the memory of Space, linearised, with the update that its step would make.
template <class Real, class Space>
class StoredState {
 public:
  StoredState(Stored const& stored, comm::MpiCommunicator const& communicator)
      : m_problem(stored.config, communicator) {
    auto const& config = stored.config;
    auto const& layout = m_problem.network().parameters();
    linalg::use_tf32(config.tf32);
    m_problem.read_samples();
    m_parameters = to_space<Real, Space>(parameters_of<Real>(stored.checkpoint, layout), "onedge::StoredState::w");
    m_gradient = uninitialised<Vector<Real, Space>>("onedge::StoredState::gradient", layout.size());
    m_update = uninitialised<Vector<Real, Space>>("onedge::StoredState::update", layout.size());
    m_optimizer = optimizer::make_optimizer<Real, Space>(config.optimizer, layout.size());
    auto const saved = stored.checkpoint.states.find("optimizer");
    if (saved != stored.checkpoint.states.end()) restore(*m_optimizer, saved->second);
    auto const& trajectory = stored.checkpoint.trajectory;
    if (trajectory && !trajectory->segments().empty()) {
      m_micro_batch = static_cast<std::size_t>(trajectory->segments().back().micro_batch);
    }
  }

  /// Collective from here on.
  void make_shards(comm::MpiCommunicator const& communicator) { m_problem.make_shards(communicator); }

  void linearise(TrainingConfig const& config, SharpnessStudy const& study, comm::MpiCommunicator const& communicator) {
    network::Demand const demand{0, false, study.solver.width(study.count)};
    MemoryPlan plan;
    comm::agree(communicator, [&] {
      MemoryBudget const budget{measurement_bytes(m_problem, config, demand),
                                free_bytes_per_rank(communicator.local_size())};
      plan = plan_memory(m_problem, config, demand, budget, m_micro_batch);
    });
    m_micro_batch = least_micro_batch(communicator, plan);
    m_objective = std::make_unique<objective::Objective<Real, Space>>(
        m_space, m_problem.network(), m_problem.shard(), m_problem.partition(), communicator,
        objective::Options{m_micro_batch, config.reproducible, config.model.weight_decay});
    m_objective->reserve(demand);
    m_objective->set_point(m_parameters);
    m_objective->gradient(m_gradient);
    m_optimizer->update(m_space, m_gradient, m_update);
  }

  io::OperatorSpectrum spectrum_of(spectrum::OperatorKind kind, SharpnessStudy const& study,
                                   comm::MpiCommunicator const& communicator) {
    auto const pool = std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, m_parameters.extent(0));
    SharpnessMeter<Real, Space> meter(*m_objective, *m_optimizer, pool, kind,
                                      spectrum::EigenTracker<Real, Space>(study.solver, study.count, 0));
    auto const found = meter.measure(0, m_gradient, m_update);
    io::OperatorSpectrum result{spectrum::to_string(kind),
                                found.eigenvalues,
                                found.residuals,
                                found.converged,
                                found.products,
                                found.seconds,
                                found.solver,
                                found.stopped,
                                {},
                                {}};
    if (study.eigenvectors) {
      for (auto& vector : meter.eigenvectors()) result.eigenvectors.emplace_back(std::move(vector));
    }
    if (wants_density(kind, study)) {
      meter.with_operator([&](spectrum::Operator<Real, Space> const& a) {
        result.density = spectrum::spectral_density<Real, Space>(a, pool, *study.density);
      });
      if (kind == spectrum::OperatorKind::negative_hessian) negate(*result.density);
    }
    return result;
  }

  Problem<Real, Space> const& problem() const { return m_problem; }
  double edge() const { return m_optimizer->edge(); }
  std::size_t micro_batch() const { return m_micro_batch; }

 private:
  Space m_space;
  Problem<Real, Space> m_problem;
  std::size_t m_micro_batch = 0;  // that of the run, as long as none was chosen; 0: not known
  Vector<Real, Space> m_parameters, m_gradient, m_update;
  std::unique_ptr<optimizer::Optimizer<Real, Space>> m_optimizer;
  std::unique_ptr<objective::Objective<Real, Space>> m_objective;
};

/// Throws InputError where the samples are not the checkpoint's and nobody asked for others.
void check_data(DataComparison const& data, Stored const& stored, Log& log) {
  auto const difference = data.difference();
  require_input(difference.empty() || stored.asks_for_other_data, difference,
                "; to measure on other samples on purpose, add --other-data");
  auto const writer = other_writer(data.file, stored.checkpoint.writer);
  if (!writer.empty()) log.info(writer);
  if (!difference.empty()) log.warn(difference);
  if (auto const unknown = data.unknown(); !unknown.empty()) log.warn(unknown);
}

/// There is nothing half done to go on from: such a start fails, and must not be repeated by itself. Collective.
void end_if_asked(StopRequest& stop, SharpnessStudy const& study) {
  auto const reason = stop.asked();
  if (!reason.empty()) {
    throw comm::SharedError(concat("stopped by ", reason, ": ", study.output.string(), " was not written"), false);
  }
}

template <class Real>
void study_in(Stored const& stored, SharpnessStudy const& study, comm::MpiCommunicator const& communicator, Log& log,
              StopRequest& stop) {
  std::unique_ptr<StoredState<Real, DefaultSpace>> state;
  comm::agree(communicator, [&] { state = std::make_unique<StoredState<Real, DefaultSpace>>(stored, communicator); });
  auto const parameters = state->problem().network().parameters().size();
  comm::agree(communicator, [&] {
    require_input(static_cast<std::size_t>(study.count) <= parameters, "--count ", study.count,
                  ": too many for a model of ", parameters, " parameters");
  });
  state->make_shards(communicator);
  DataComparison const data(study.checkpoint, stored.checkpoint, stored.config.data, state->problem().identity());
  comm::agree(communicator, [&] { check_data(data, stored, log); });
  state->linearise(stored.config, study, communicator);
  for (auto const& text : state->problem().warnings()) log.warn(text);
  io::SpectrumFile file{study.checkpoint.string(),
                        stored.deck,
                        study.command_line,
                        stored.config.precision,
                        stored.checkpoint.step,
                        static_cast<std::int64_t>(parameters),
                        static_cast<std::int64_t>(state->problem().partition().samples()),
                        state->edge(),
                        {},
                        static_cast<std::int64_t>(state->micro_batch()),
                        data.present.train,
                        data.stored.train};
  log.info(concat(study.checkpoint.string(), ": step ", file.step, ", ", file.parameters, " parameters, ", file.samples,
                  " samples on ", communicator.size(), " rank(s), ", to_string(file.precision), " precision"));
  SharpnessStudy heedful = study;
  heedful.solver.stop = [&] { return !stop.asked().empty(); };
  for (auto const kind : study.operators) {
    end_if_asked(stop, study);
    file.operators.push_back(state->spectrum_of(kind, heedful, communicator));
    log.info(table(file.operators.back(), state->edge()));
    if (file.operators.back().stopped) end_if_asked(stop, study);
  }
  comm::agree(communicator, [&] {
    if (communicator.rank() == 0) io::publish(study.output, file);
  });
  log.info(concat("written: ", study.output.string()));
}

}  // namespace

void study_sharpness(SharpnessStudy const& study, comm::MpiCommunicator const& communicator, Log& log,
                     StopRequest& stop) {
  end_if_asked(stop, study);
  Stored stored;
  comm::agree(communicator, [&] {
    stored = read_stored(study);
    if (communicator.rank() != 0) return;
    auto const obstacle = hdf5::obstacle_to_publish(study.output);
    require_input(obstacle.empty(), obstacle);
  });
  bool const single = stored.config.precision == Precision::single_precision;
  single ? study_in<float>(stored, study, communicator, log, stop)
         : study_in<double>(stored, study, communicator, log, stop);
}

}  // namespace onedge::training
