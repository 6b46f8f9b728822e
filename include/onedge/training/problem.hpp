#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/data/batch.hpp>
#include <onedge/data/fingerprint.hpp>
#include <onedge/data/partition.hpp>
#include <onedge/data/shard.hpp>
#include <onedge/model/model.hpp>
#include <onedge/training/training_config.hpp>

#include <memory>
#include <optional>

namespace onedge::training {

/// What a deck trains: a network, and this rank's share of the samples. In full batch, a step works on all of them;
/// with mini-batches every rank has all samples at hand, and a step works on this rank's blocks of its batch.
template <class Real, class Space>
class Problem {
 public:
  /// Opens the data and builds the network; reads no samples. `report` hears of a long reading. Throws InputError. Does
  /// not communicate.
  Problem(TrainingConfig const& config, comm::Communicator const& communicator, data::Report const& report = {});
  /// The same for a rank of so many, whether there are any or not.
  Problem(TrainingConfig const& config, int rank, int ranks, data::Report const& report = {});
  /// Reads this rank's samples. Throws InputError. Does not communicate.
  void read_samples();
  /// Puts what was read where kernels run, standardised as the deck says. Throws InputError when that makes numbers
  /// that Real cannot hold. Collective.
  void make_shards(comm::Communicator const& communicator);

  /// What is odd about the data: found at the opening on this rank; after make_shards() by all ranks.
  std::vector<std::string> warnings() const { return m_warnings.texts(); }
  data::SourceDescription const& data_description() const { return m_source->description(); }

  network::Network<Real, Space> const& network() const { return *m_network; }
  /// What the samples are; known once the shards are made.
  data::Identity const& identity() const { return m_identity; }
  /// All training samples, and this rank's.
  data::BlockPartition const& partition() const { return *m_partition; }
  data::Shard<Real, Space> const& shard() const { return m_shard; }
  /// Those of a step. The arrays of the shard stay the same through the run.
  data::BlockPartition const& step_partition() const { return m_step_partition ? *m_step_partition : *m_partition; }
  data::Shard<Real, Space> const& step_shard() const { return m_batch ? m_batch->shard() : m_shard; }
  /// Puts the samples of a step into its shard; false where they are always the same.
  bool load_step(Space const& space, std::int64_t step);
  /// 0 in full batch.
  std::int64_t steps_per_epoch() const;
  /// Samples of this rank in a step.
  std::size_t sample_count() const { return step_partition().sample_count(m_rank); }
  bool has_test_samples() const { return m_test_partition.has_value(); }
  data::BlockPartition const& test_partition() const { return *m_test_partition; }
  data::Shard<Real, Space> const& test_shard() const { return m_test_shard; }

  /// The weights that the run starts from: of model.initial, or of the seed. Throws InputError.
  std::vector<Real> initial_parameters(TrainingConfig const& config) const;
  /// Bytes that this rank needs whatever its micro-batch is: samples, and vectors of length P.
  std::size_t fixed_bytes(std::size_t vectors) const;
  /// Bytes of that many vectors of length P on this rank, whole ones and ones that all ranks share.
  std::size_t vector_bytes(int whole, int sliced) const;
  /// Bytes of a workspace.
  std::size_t workspace_bytes(std::size_t samples, network::Demand const& demand) const;

 private:
  /// Throws InputError.
  void check_inputs(data::Standardization const& standardization) const;
  data::Warnings found_warnings() const;

  int m_rank;
  int m_ranks;
  std::string m_standardize;
  data::BatchConfig m_batch_config;
  std::uint64_t m_seed;
  std::unique_ptr<data::Source> m_source, m_test_source;
  data::Warnings m_warnings;
  data::SampleRange m_range;
  std::unique_ptr<network::Network<Real, Space>> m_network;
  std::optional<data::BlockPartition> m_partition, m_step_partition, m_test_partition;
  data::HostSamples m_samples, m_test_samples;  // until the shards are made
  data::Identity m_identity;
  data::Shard<Real, Space> m_shard, m_test_shard;
  std::optional<data::Batch<Real, Space>> m_batch;
};

/// run.steps, or what batch.epochs makes of them.
template <class Real, class Space>
tuner::RunLength run_length(TrainingConfig const& config, Problem<Real, Space> const& problem);

/// Passes of a run that a workspace must hold: the tuner's, and those of measurements.
network::Demand demand_of(TrainingConfig const& config, tuner::Tuner const& tuner);

/// Samples that an evaluation looks at together: whole blocks.
std::size_t evaluation_samples(TrainingConfig const& config);

/// Bytes that the measurements of a run, and a tuner's eigen-solver, need on this rank.
template <class Real, class Space>
std::size_t measurement_bytes(Problem<Real, Space> const& problem, TrainingConfig const& config,
                              network::Demand const& demand);

}  // namespace onedge::training
