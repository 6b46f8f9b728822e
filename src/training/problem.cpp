#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/training/problem.hpp>

#include <algorithm>
#include <utility>

namespace onedge::training {

template <class Real, class Space>
Problem<Real, Space>::Problem(TrainingConfig const& config, comm::Communicator const& communicator,
                              data::Report const& report)
    : Problem(config, communicator.rank(), communicator.size(), report) {}

template <class Real, class Space>
Problem<Real, Space>::Problem(TrainingConfig const& config, int rank, int ranks, data::Report const& report)
    : m_rank(rank),
      m_ranks(ranks),
      m_standardize(config.data.standardize),
      m_batch_config(config.batch),
      m_seed(static_cast<std::uint64_t>(config.seed)),
      m_source(data::make_source(config.data, data::Split::train, report)) {
  auto const& description = m_source->description();
  m_range = data::sample_range(config.data, description);
  auto const block = static_cast<std::size_t>(config.block);
  m_partition.emplace(m_range.count, block, ranks, "the training set's ");
  if (!config.batch.is_full()) {
    auto const size = static_cast<std::size_t>(config.batch.size);
    require_input(size <= m_range.count, "batch.size: ", size, " is more than the ", m_range.count,
                  " training samples");
    require_input(!config.batch.augments() || description.shape.size() == 3,
                  "batch.crop, batch.flip: are for images, [height, width, channels]");
    m_step_partition.emplace(size, block, ranks, "a batch's ");
  }
  require_input(config.data.standardize != "imagenet" || description.shape.back() == 3,
                "data.standardize: imagenet is for three channels, ", description.name, " has ",
                description.shape.back());
  try {
    m_network = model::make_network<Real, Space>(config.model,
                                                 {description.shape, description.classes, description.vocabulary});
  } catch (InputError const& error) {
    throw InputError(concat(error.what(), " (data: ", description.name, ")"));
  }
  auto const& sharpness = config.sharpness;
  bool const fits = static_cast<std::size_t>(sharpness.count) <= m_network->parameters().size();
  require_input(sharpness.every == 0 || fits, "measure.sharpness.count: ", sharpness.count,
                " eigenvalues are too many for a model of ", m_network->parameters().size(), " parameters");
  if (config.evaluation_every > 0 && data::has_test_split(config.data)) {
    m_test_source = data::make_source(config.data, data::Split::test, report);
    auto const& test = m_test_source->description();
    require_input(test.shape == description.shape && test.classes <= description.classes, test.name,
                  ": the test samples differ in shape or classes from ", description.name);
    m_test_partition = data::BlockPartition::with_idle_ranks(test.samples, block, ranks);
  }
  m_warnings = found_warnings();
}

template <class Real, class Space>
data::Warnings Problem<Real, Space>::found_warnings() const {
  auto warnings = m_source->warnings();
  if (m_test_source) warnings.add(m_test_source->warnings());
  return warnings;
}

template <class Real, class Space>
void Problem<Real, Space>::read_samples() {
  m_samples = m_source->read(m_range.first + m_partition->first_sample(m_rank), m_partition->sample_count(m_rank));
  require_input(!m_batch_config.augments() || !m_samples.pixels.empty(),
                "batch.crop, batch.flip: are for images made of bytes");
  require_input(m_standardize != "imagenet" || m_samples.reals.empty(),
                "data.standardize: imagenet is for pixels, but ", m_source->description().name, " holds real numbers");
  if (m_test_source) {
    m_test_samples.features = m_test_source->description().features();
    std::size_t const count = m_test_partition->sample_count(m_rank);
    if (count > 0) m_test_samples = m_test_source->read(m_test_partition->first_sample(m_rank), count);
  }
}

template <class Real, class Space>
void Problem<Real, Space>::check_inputs(data::Standardization const& standardization) const {
  auto const first = m_range.first + m_partition->first_sample(m_rank);
  data::check_inputs<Real>(*m_source, first, m_samples, standardization);
  if (!m_test_source) return;
  data::check_inputs<Real>(*m_test_source, m_test_partition->first_sample(m_rank), m_test_samples, standardization);
}

template <class Real, class Space>
void Problem<Real, Space>::make_shards(comm::Communicator const& communicator) {
  m_identity.train = data::fingerprint(m_source->description(), m_samples, m_partition->first_sample(m_rank),
                                       m_partition->samples(), communicator);
  if (m_test_source) {
    m_identity.test =
        data::fingerprint(m_test_source->description(), m_test_samples, m_test_partition->first_sample(m_rank),
                          m_test_partition->samples(), communicator);
  }
  data::Standardization standardization;
  if (m_standardize == "imagenet") {
    standardization = data::imagenet_standardization();
  } else if (m_standardize != "none") {
    bool const by_channel = m_standardize == "channel";
    std::size_t const size = by_channel ? m_source->description().shape.back() : m_samples.features;
    standardization = data::measure_standardization(m_samples, size, *m_partition, communicator);
  }
  comm::agree(communicator, [&] { check_inputs(standardization); });
  m_warnings = found_warnings().gathered(communicator);
  if (m_batch_config.is_full()) {
    m_shard = data::Shard<Real, Space>(std::exchange(m_samples, {}), standardization);
  } else {
    data::Shard<Real, Space> const all(data::gather_all(std::exchange(m_samples, {}), *m_partition, communicator),
                                       standardization);
    m_shard = all.slice(m_partition->first_sample(m_rank), m_partition->sample_count(m_rank));
    m_batch.emplace(all, m_source->description().shape, m_batch_config, m_seed, *m_step_partition, m_rank);
  }
  if (m_test_source) m_test_shard = data::Shard<Real, Space>(std::exchange(m_test_samples, {}), standardization);
}

template <class Real, class Space>
bool Problem<Real, Space>::load_step(Space const& space, std::int64_t step) {
  if (m_batch) m_batch->load(space, step);
  return m_batch.has_value();
}

template <class Real, class Space>
std::int64_t Problem<Real, Space>::steps_per_epoch() const {
  return m_step_partition ? static_cast<std::int64_t>(m_partition->samples() / m_step_partition->samples()) : 0;
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
  // Samples are bytes (pixels) at the least.
  std::size_t const all = m_batch_config.is_full() ? 0 : m_partition->samples();
  std::size_t const samples = (all + sample_count()) * m_source->description().features();
  return samples + vectors * m_network->parameters().size() * sizeof(Real);
}

template <class Real, class Space>
std::size_t Problem<Real, Space>::workspace_bytes(std::size_t samples, network::Demand const& demand) const {
  return network::Workspace<Real, Space>::bytes(*m_network, samples, demand);
}

template <class Real, class Space>
std::size_t Problem<Real, Space>::vector_bytes(int whole, int sliced) const {
  auto const ranks = static_cast<std::size_t>(m_ranks);
  std::size_t const vectors = static_cast<std::size_t>(whole) + (static_cast<std::size_t>(sliced) + ranks - 1) / ranks;
  return vectors * m_network->parameters().size() * sizeof(Real);
}

template <class Real, class Space>
tuner::RunLength run_length(TrainingConfig const& config, Problem<Real, Space> const& problem) {
  std::int64_t const per_epoch = std::max<std::int64_t>(1, problem.steps_per_epoch());
  return {config.batch.epochs > 0 ? config.batch.epochs * per_epoch : config.steps, per_epoch};
}

network::Demand demand_of(TrainingConfig const& config, tuner::Tuner const& tuner) {
  network::Demand demand;
  demand.curvatures = tuner.curvature_every() > 0 || config.gain_every > 0 ? 1 : 0;
  demand.forward_curvatures = config.reproducible && demand.curvatures > 0;
  auto const& sharpness = config.sharpness;
  if (sharpness.every > 0) demand.products = sharpness.solver.width(static_cast<int>(sharpness.most()));
  if (tuner.sharpness_demand()) demand.products = std::max(demand.products, 1);
  return demand;
}

std::size_t evaluation_samples(TrainingConfig const& config) {
  constexpr std::size_t about = 256;  // as many as a tile of the objective
  auto const block = static_cast<std::size_t>(config.block);
  return std::max<std::size_t>(1, about / block) * block;
}

template <class Real, class Space>
std::size_t measurement_bytes(Problem<Real, Space> const& problem, TrainingConfig const& config,
                              network::Demand const& demand) {
  std::size_t const evaluators = config.evaluation_every == 0 ? 0 : problem.has_test_samples() ? 2 : 1;
  std::size_t const planes = evaluators * problem.workspace_bytes(evaluation_samples(config), {});
  if (demand.products == 0) return planes;
  // The vectors of a solve, and those of the last one of each operator; whole directions and products.
  int const count = static_cast<int>(config.sharpness.every > 0 ? config.sharpness.most() : 1);
  int const operators = static_cast<int>(config.sharpness.operators.size()) + 1;
  return planes + problem.vector_bytes(2 * demand.products, config.sharpness.solver.vectors(count) + operators * count);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                               \
  template class Problem<Real, Space>;                                                                                \
  template std::size_t measurement_bytes(Problem<Real, Space> const&, TrainingConfig const&, network::Demand const&); \
  template tuner::RunLength run_length(TrainingConfig const&, Problem<Real, Space> const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
