#include <onedge/objective/evaluator.hpp>

#include <algorithm>

namespace onedge::objective {

template <class Real, class Space>
Evaluator<Real, Space>::Evaluator(Space const& space, network::Network<Real, Space> const& network,
                                  data::Shard<Real, Space> const& shard, data::BlockPartition const& partition,
                                  comm::Communicator const& communicator, std::size_t samples, bool reproducible)
    : m_space(space),
      m_network(network),
      m_shard(shard),
      m_partition(partition),
      m_communicator(communicator),
      m_tile(reproducible ? partition.block() : samples),
      m_workspace(network, std::min(m_tile, shard.samples())) {
  if (!reproducible) return;
  std::vector<std::size_t> first_blocks;
  for (int r = 0; r <= communicator.size(); ++r) first_blocks.push_back(partition.first_block(r));
  m_block_sum = std::make_unique<comm::BlockSum<double, HostSpace>>(HostSpace(), communicator, 2, first_blocks);
}

template <class Real, class Space>
std::vector<double> Evaluator<Real, Space>::tile_sums(VectorWindow<Real const, Space> parameters, std::size_t first,
                                                      std::size_t count) {
  network::Bindings<Real, Space> bound;
  bound.parameters = parameters;
  bound.labels = m_shard.labels(first, count);
  bound.tokens = m_shard.tokens(first, count);
  network::Pass<Real, Space> const pass(m_space, m_workspace, bound, 0, count);
  if (m_network.input_value().id >= 0) m_shard.load(m_space, first, count, pass.plane(m_network.input_value(), 0));
  m_network.forward(pass);
  double const loss = m_workspace.collect_terms(1)[0];
  m_network.loss().count_correct(pass);
  return {loss, m_workspace.collect_terms(1)[0]};
}

template <class Real, class Space>
Evaluation Evaluator<Real, Space>::operator()(VectorWindow<Real const, Space> parameters) {
  ScopedRegion const region("Evaluator", "evaluate");
  std::vector<double> sums{0, 0};
  if (m_block_sum) m_block_sum->begin();
  for (std::size_t first = 0; first < m_shard.samples(); first += m_tile) {
    auto const tile = tile_sums(parameters, first, std::min(m_tile, m_shard.samples() - first));
    if (m_block_sum) {
      m_block_sum->add(VectorWindow<double const, HostSpace>(tile.data(), 2));
    } else {
      for (int i = 0; i < 2; ++i) sums[i] += tile[i];
    }
  }
  if (m_block_sum) {
    m_block_sum->finish(VectorWindow<double, HostSpace>(sums.data(), 2));
  } else {
    m_communicator.all_reduce(sums.data(), 2);
  }
  double const rows = static_cast<double>(m_partition.samples() * m_network.loss().rows_per_sample());
  return {sums[0] / rows, sums[1] / rows};
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Evaluator<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::objective
