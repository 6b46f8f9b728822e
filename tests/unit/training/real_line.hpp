#pragma once
// The small problem of tests/reference/values.h5 with the real objective, optimizer, tuner and line, as the trainer
// puts them together.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/hdf5/file.hpp>
#include <onedge/model/model.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/training/objective_line.hpp>
#include <onedge/tuner/tuner.hpp>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace onedge::training::test {

using Space = DefaultSpace;

inline hdf5::File values() { return hdf5::File::open(ONEDGE_SOURCE_DIR "/tests/reference/values.h5"); }

inline std::vector<double> to_host(VectorWindow<double const, Space> values) {
  auto const values_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  return {values_host.data(), values_host.data() + values_host.extent(0)};
}

inline void assign(Vector<double, Space> const& target, std::vector<double> const& values) {
  Kokkos::deep_copy(target, VectorWindow<double const, HostSpace>(values.data(), values.size()));
}

/// f of values.h5, under the model and loss that are given as YAML.
class RealObjective {
 public:
  static constexpr std::size_t block = 16;

  RealObjective(std::string const& model, std::string const& loss, std::size_t micro_batch = 0)
      : m_communicator(MPI_COMM_SELF) {
    auto const deck = config::Deck::from_text("model: " + model + "\nloss: " + loss, "values.h5");
    model::ModelConfig config;
    config.bind(deck.root().section("model"), deck.root().section("loss"));
    deck.check_all_known();
    auto const file = values();
    data::HostSamples samples;
    auto const shape = file.dataset("x").shape();
    samples.count = shape.at(0), samples.features = shape.at(1);
    samples.reals = file.read<double>("x");
    samples.labels = file.read<std::int32_t>("y");
    m_shard = data::Shard<double, Space>(samples);
    m_network = model::make_network<double, Space>(config, {{samples.features}, 3});
    m_objective = std::make_unique<objective::Objective<double, Space>>(
        Space(), *m_network, m_shard, data::BlockPartition(samples.count, block, 1), m_communicator,
        objective::Options{micro_batch, false, config.weight_decay});
    find_order(file);
  }

  objective::Objective<double, Space>& operator*() { return *m_objective; }
  objective::Objective<double, Space>* operator->() { return m_objective.get(); }

  /// A flat vector of the file, its tensors in the network's order.
  std::vector<double> from_file(double const* flat) const {
    std::vector<double> result;
    for (auto const& tensor : m_network->parameters().tensors()) {
      auto const offset = m_file_offsets.at(static_cast<std::size_t>(tensor.parameter.id));
      result.insert(result.end(), flat + offset, flat + offset + tensor.parameter.size());
    }
    return result;
  }
  /// /parameters of the file: where its runs start.
  std::vector<double> initial() const {
    std::vector<double> result;
    auto const file = values();
    for (auto const& tensor : m_network->parameters().tensors()) {
      auto const part = file.read<double>("parameters/" + tensor.name);
      result.insert(result.end(), part.begin(), part.end());
    }
    return result;
  }

 private:
  void find_order(hdf5::File const& file) {
    auto const& tensors = m_network->parameters().tensors();
    m_file_offsets.resize(tensors.size());
    std::size_t offset = 0, found = 0;
    std::istringstream names(file.attribute<std::string>("tensors"));
    for (std::string name; names >> name;) {
      for (auto const& tensor : tensors) {
        if (tensor.name != name) continue;
        m_file_offsets[static_cast<std::size_t>(tensor.parameter.id)] = offset;
        offset += tensor.parameter.size();
        ++found;
      }
    }
    if (found != tensors.size()) throw std::runtime_error("values.h5 is of another model");
  }

  comm::MpiCommunicator m_communicator;
  data::Shard<double, Space> m_shard;
  std::unique_ptr<network::Network<double, Space>> m_network;
  std::unique_ptr<objective::Objective<double, Space>> m_objective;
  std::vector<std::size_t> m_file_offsets;
};

/// Steps of one optimizer and one tuner on that objective; the caller says at which weights.
class RealSteps {
 public:
  RealSteps(RealObjective& objective, std::string const& optimizer, std::string const& tuner, std::int64_t steps)
      : m_objective(objective), m_line(Space(), *objective, [](std::int64_t, std::string const&) {}) {
    auto const deck = config::Deck::from_text("optimizer: " + optimizer + "\ntuner: " + tuner, "test.yaml");
    auto const optimizer_config = optimizer::OptimizerConfig::bind(deck.root().section("optimizer"));
    auto const tuner_config = tuner::TunerConfig::bind(deck.root().section("tuner"));
    deck.check_all_known();
    std::size_t const count = m_objective->parameters();
    m_optimizer = optimizer::make_optimizer<double, Space>(optimizer_config, count);
    m_tuner = tuner::make_tuner(tuner_config, {steps});
    m_parameters = Vector<double, Space>("onedge::test::parameters", count);
    m_gradient = Vector<double, Space>("onedge::test::gradient", count);
    m_update = Vector<double, Space>("onedge::test::update", count);
    m_previous_update = Vector<double, Space>("onedge::test::previous_update", count);
  }

  /// The learning rate of the next step, at these weights.
  double step(std::vector<double> const& weights) {
    if (m_step > 0) std::swap(m_update, m_previous_update);
    assign(m_parameters, weights);
    m_objective->set_point(m_parameters);
    double const loss = m_objective->gradient(m_gradient).loss;
    m_optimizer->update(Space(), m_gradient, m_update);
    using Constant = VectorWindow<double const, Space>;
    m_line.begin(m_step, m_parameters, loss, m_gradient, m_update,
                 m_step > 0 ? Constant(m_previous_update) : Constant());
    ++m_step;
    return m_tuner->learning_rate(m_line);
  }
  /// w + ηu of the last step.
  std::vector<double> next(double learning_rate) const {
    Vector<double, Space> result("onedge::test::next", m_parameters.extent(0));
    linalg::add_scaled<double, Space>(Space(), m_parameters, learning_rate, m_update, result);
    return to_host(result);
  }
  ObjectiveLine<double, Space>& line() { return m_line; }
  tuner::Tuner& tuner() { return *m_tuner; }

 private:
  RealObjective& m_objective;
  ObjectiveLine<double, Space> m_line;
  std::unique_ptr<optimizer::Optimizer<double, Space>> m_optimizer;
  std::unique_ptr<tuner::Tuner> m_tuner;
  Vector<double, Space> m_parameters, m_gradient, m_update, m_previous_update;
  std::int64_t m_step = 0;
};

}  // namespace onedge::training::test
