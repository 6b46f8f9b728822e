#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/data/batch.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace onedge::data {

BatchConfig BatchConfig::bind(config::Section section) {
  BatchConfig config;
  section.bind_or_word(
      "size", config.size, "full", 0,
      "samples in a step; with a number, epochs go through them in random order and drop the remainder",
      config::at_least_one);
  if (config.is_full() && !section.documenting()) {
    for (auto const* key : {"epochs", "crop", "flip"}) {
      if (section.given(key)) section.fail(key, "is for mini-batches: give batch.size");
    }
    return config;
  }
  auto mini = section.when("size: a number");
  mini.bind_or_word("epochs", config.epochs, "none", 0, "length of the run in epochs, in place of run.steps",
                    config::at_least_one);
  mini.bind("crop", config.crop,
            "train on random windows of the images' size, with so many pixels of zeros around the images",
            {0.0, 4096.0});
  mini.bind("flip", config.flip, "mirror half of the training images, from left to right");
  return config;
}

Shuffle::Shuffle(std::size_t samples, std::size_t size, std::uint64_t seed)
    : m_size(size), m_seed(seed), m_order(samples) {
  require(size > 0 && size <= samples, "batches of ", size, " out of ", samples, " samples");
}

void Shuffle::begin_epoch(std::int64_t epoch) {
  m_epoch = epoch;
  std::iota(m_order.begin(), m_order.end(), std::size_t{0});
  RandomStream const random(m_seed, streams::batch_order);
  auto const counter = static_cast<std::uint64_t>(epoch) * m_order.size();
  for (std::size_t i = m_order.size(); i-- > 1;) std::swap(m_order[i], m_order[random.integer(counter + i, i + 1)]);
}

std::size_t Shuffle::sample(std::int64_t step, std::size_t i) {
  if (epoch(step) != m_epoch) begin_epoch(epoch(step));
  return m_order[static_cast<std::size_t>(step % batches_per_epoch()) * m_size + i];
}

namespace {

ImageShape image_shape(std::vector<std::size_t> const& shape, std::size_t features) {
  return shape.size() == 3 ? ImageShape{shape[0], shape[1], shape[2]} : ImageShape{1, features, 1};
}

}  // namespace

template <class Real, class Space>
Batch<Real, Space>::Batch(Shard<Real, Space> all, std::vector<std::size_t> const& shape, BatchConfig const& config,
                          std::uint64_t seed, BlockPartition const& partition, int rank)
    : m_all(std::move(all)),
      m_shard(m_all.like(partition.sample_count(rank))),
      m_image(image_shape(shape, m_all.features())),
      m_config(config),
      m_seed(seed),
      m_first(partition.first_sample(rank)),
      m_shuffle(m_all.samples(), partition.samples(), seed),
      m_placements("onedge::Batch::placements", partition.sample_count(rank)),
      m_placements_host(Kokkos::create_mirror_view(m_placements)) {
  require(!config.augments() || (m_all.has_pixels() && shape.size() == 3),
          "only images made of bytes are changed at random");
}

template <class Real, class Space>
void Batch<Real, Space>::load(Space const& space, std::int64_t step) {
  for (std::size_t i = 0; i < m_placements_host.extent(0); ++i) {
    m_placements_host(i) = place(step, m_shuffle.sample(step, m_first + i));
  }
  Kokkos::deep_copy(space, m_placements, m_placements_host);
  space.fence();  // the host's copy may be used again
  m_all.gather(space, m_placements, m_image, m_shard);
}

template <class Real, class Space>
Placement Batch<Real, Space>::place(std::int64_t step, std::size_t sample) const {
  Placement result;
  result.sample = sample;
  if (!m_config.augments()) return result;
  RandomStream const random(m_seed, streams::batch_augmentation);
  auto const counter = 3 * (static_cast<std::uint64_t>(m_shuffle.epoch(step)) * m_all.samples() + sample);
  auto const shift = [&](std::uint64_t index) {
    auto const places = static_cast<std::uint64_t>(2 * m_config.crop + 1);
    return static_cast<std::int32_t>(random.integer(index, places)) - static_cast<std::int32_t>(m_config.crop);
  };
  result.down = shift(counter);
  result.right = shift(counter + 1);
  result.is_flipped = m_config.flip && random.integer(counter + 2, 2) == 1;
  return result;
}

HostSamples gather_all(HostSamples const& mine, BlockPartition const& partition,
                       comm::Communicator const& communicator) {
  HostSamples result;
  result.count = partition.samples();
  result.features = mine.features;
  result.scale = mine.scale;
  auto const gather = [&](auto const& from, auto& to) {
    std::size_t const each = from.size() / mine.count;
    to.resize(result.count * each);
    std::copy(from.begin(), from.end(), to.data() + partition.first_sample(communicator.rank()) * each);
    for (int r = 0; r < communicator.size(); ++r) {
      communicator.broadcast(to.data() + partition.first_sample(r) * each,
                             partition.sample_count(r) * each * sizeof(to[0]), r);
    }
  };
  gather(mine.pixels, result.pixels);
  gather(mine.reals, result.reals);
  gather(mine.tokens, result.tokens);
  gather(mine.labels, result.labels);
  return result;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Batch<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::data
