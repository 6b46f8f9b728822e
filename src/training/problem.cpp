#include <onedge/core/error.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/training/problem.hpp>

#include <algorithm>
#include <fstream>

namespace onedge::training {

template <class Real, class Space>
Problem<Real, Space>::Problem(TrainingConfig const& config, comm::Communicator const& communicator)
    : m_rank(communicator.rank()), m_source(data::make_source(config.data, data::Split::train)) {
  auto const& description = m_source->description();
  m_range = data::sample_range(config.data, description);
  auto const block = static_cast<std::size_t>(config.block);
  m_partition.emplace(m_range.count, block, communicator.size());
  m_network = model::make_network<Real, Space>(config.model, {description.shape, description.classes});
  if (config.evaluation_every > 0 && data::has_test_split(config.data)) {
    m_test_source = data::make_source(config.data, data::Split::test);
    auto const& test = m_test_source->description();
    require_input(test.shape == description.shape && test.classes <= description.classes, test.name,
                  ": the test samples differ in shape or classes from ", description.name);
    m_test_partition.emplace(test.samples, block, communicator.size());
  }
}

template <class Real, class Space>
void Problem<Real, Space>::read_samples() {
  m_shard = data::Shard<Real, Space>(
      m_source->read(m_range.first + m_partition->first_sample(m_rank), m_partition->sample_count(m_rank)));
  if (m_test_source) {
    m_test_shard = data::Shard<Real, Space>(
        m_test_source->read(m_test_partition->first_sample(m_rank), m_test_partition->sample_count(m_rank)));
  }
}

template <class Real, class Space>
std::vector<Real> Problem<Real, Space>::initial_parameters(TrainingConfig const& config) const {
  auto const& layout = m_network->parameters();
  if (config.model.initial.empty()) {
    auto const values = layout.initial_values(static_cast<std::uint64_t>(config.seed));
    return {values.begin(), values.end()};
  }
  std::vector<io::ExpectedTensor> expected;
  for (auto const& tensor : layout.tensors()) expected.push_back({tensor.name, tensor.parameter.shape});
  std::vector<Real> result;
  for (auto const& tensor : io::load_parameters<Real>(config.model.initial, expected)) {
    result.insert(result.end(), tensor.begin(), tensor.end());
  }
  return result;
}

template <class Real, class Space>
std::size_t Problem<Real, Space>::fixed_bytes(std::size_t vectors) const {
  // Samples are bytes (pixels) at the least; what is read already is counted as it is.
  std::size_t const samples = m_shard.samples() > 0
                                  ? m_shard.bytes() + m_test_shard.bytes()
                                  : m_partition->sample_count(m_rank) * m_source->description().features();
  return samples + vectors * m_network->parameters().size() * sizeof(Real);
}

template <class Real, class Space>
std::size_t Problem<Real, Space>::workspace_bytes(std::size_t samples, network::Demand const& demand) const {
  return network::Workspace<Real, Space>::bytes(*m_network, samples, demand);
}

template <class Real, class Space>
std::size_t fitting_micro_batch(Problem<Real, Space> const& problem, network::Demand const& demand, std::size_t samples,
                                std::size_t block, std::size_t bytes) {
  if (problem.workspace_bytes(samples, demand) <= bytes) return (samples + block - 1) / block * block;
  std::size_t const per_block = std::max<std::size_t>(1, problem.workspace_bytes(block, demand));
  return std::max<std::size_t>(1, bytes / per_block) * block;
}

std::size_t free_bytes_per_rank(int local_ranks) {
  std::ifstream information("/proc/meminfo");
  std::string key;
  std::size_t kilobytes = 0;
  while (information >> key) {
    if (key == "MemAvailable:" && information >> kilobytes) break;
  }
  require(kilobytes > 0, "/proc/meminfo does not say how much memory is free: set run.micro_batch");
  return kilobytes * 1024 / static_cast<std::size_t>(local_ranks);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                      \
  template class Problem<Real, Space>;                                                                       \
  template std::size_t fitting_micro_batch(Problem<Real, Space> const&, network::Demand const&, std::size_t, \
                                           std::size_t, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
