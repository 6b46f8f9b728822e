#pragma once
#include <onedge/comm/block_sum.hpp>
#include <onedge/data/partition.hpp>
#include <onedge/data/shard.hpp>
#include <onedge/network/network.hpp>

namespace onedge::objective {

struct Evaluation {
  double loss = 0;      ///< mean over the samples, without weight decay
  double accuracy = 0;  ///< share of rows whose largest logit is the label's
};

/// Loss and accuracy of given parameters on a set of samples (of all ranks), in a small workspace of its own.
template <class Real, class Space>
class Evaluator {
 public:
  /// `samples` at once per rank, a multiple of the block; block by block where the sums are to be reproducible.
  Evaluator(Space const& space, network::Network<Real, Space> const& network, data::Shard<Real, Space> const& shard,
            data::BlockPartition const& partition, comm::Communicator const& communicator, std::size_t samples,
            bool reproducible);

  /// Collective.
  Evaluation operator()(VectorWindow<Real const, Space> parameters);

 private:
  std::vector<double> tile_sums(VectorWindow<Real const, Space> parameters, std::size_t first, std::size_t count);

  Space m_space;
  network::Network<Real, Space> const& m_network;
  data::Shard<Real, Space> const& m_shard;
  data::BlockPartition m_partition;
  comm::Communicator const& m_communicator;
  std::size_t m_tile;
  network::Workspace<Real, Space> m_workspace;
  std::unique_ptr<comm::BlockSum<double, HostSpace>> m_block_sum;  // only for reproducible sums
};

}  // namespace onedge::objective
