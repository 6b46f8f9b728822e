#pragma once
// Mini-batches: which samples make which batch, and a rank's part of the present one.
#include <onedge/config/deck.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/data/partition.hpp>
#include <onedge/data/shard.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace onedge::data {

/// The section `batch` of a deck.
struct BatchConfig {
  std::int64_t size = 0;    // 0: full batch
  std::int64_t epochs = 0;  // length of the run; 0: run.steps says it
  std::int64_t crop = 0;    // zeros around an image, before a random window of the image's size is cut out
  bool flip = false;        // half of the images, from left to right

  bool is_full() const { return size == 0; }
  /// Whether images are changed at random.
  bool augments() const { return crop > 0 || flip; }
  static BatchConfig bind(config::Section section);
};

/// Every epoch goes through all samples in an order of its own (Fisher and Yates, from counters keyed by seed and
/// epoch: the same for every number of ranks), cut into batches; the remainder is dropped.
class Shuffle {
 public:
  /// Error when a batch is larger than the set.
  Shuffle(std::size_t samples, std::size_t size, std::uint64_t seed);

  std::int64_t batches_per_epoch() const { return static_cast<std::int64_t>(m_order.size() / m_size); }
  std::int64_t epoch(std::int64_t step) const { return step / batches_per_epoch(); }
  /// Sample i = 0 … size−1 of the batch of a step. Cheap within an epoch.
  std::size_t sample(std::int64_t step, std::size_t i);

 private:
  void begin_epoch(std::int64_t epoch);

  std::size_t m_size;
  std::uint64_t m_seed;
  std::int64_t m_epoch = -1;
  std::vector<std::size_t> m_order;
};

/// This rank's samples of the present batch, in the memory of Space. Every rank has all samples at hand; the blocks of
/// a batch are shared out as those of a full batch are.
template <class Real, class Space>
class Batch {
 public:
  /// `all`: every sample; `shape`: of one; `partition`: of a batch over the ranks. Error when images are to be changed
  /// at random and the samples are none made of bytes, [height, width, channels].
  Batch(Shard<Real, Space> all, std::vector<std::size_t> const& shape, BatchConfig const& config, std::uint64_t seed,
        BlockPartition const& partition, int rank);

  std::int64_t batches_per_epoch() const { return m_shuffle.batches_per_epoch(); }
  /// Always the same arrays; load() changes what is in them.
  Shard<Real, Space> const& shard() const { return m_shard; }
  /// Puts the samples of a step into the shard, on `space`.
  void load(Space const& space, std::int64_t step);

 private:
  Placement place(std::int64_t step, std::size_t sample) const;

  Shard<Real, Space> m_all, m_shard;
  ImageShape m_image;
  BatchConfig m_config;
  std::uint64_t m_seed;
  std::size_t m_first;
  Shuffle m_shuffle;
  Vector<Placement, Space> m_placements;  // [samples of this rank]
  typename Vector<Placement, Space>::HostMirror m_placements_host;
};

/// Every rank's samples, on every rank. Collective.
HostSamples gather_all(HostSamples const& mine, BlockPartition const& partition,
                       comm::Communicator const& communicator);

}  // namespace onedge::data
