// Mini-batches: their order, what ranks hold of them, random windows and mirror images.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/data/batch.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace onedge::data {
namespace {

using Space = DefaultSpace;
using Real = double;

constexpr std::size_t samples = 53;
constexpr std::size_t size = 12;  // four batches and a remainder of five
constexpr std::size_t block = 3;
constexpr std::size_t height = 4, width = 5, channels = 3, features = height * width * channels;

std::vector<std::size_t> batch_of(Shuffle& shuffle, std::int64_t step) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < size; ++i) result.push_back(shuffle.sample(step, i));
  return result;
}

TEST(Shuffle, GoesThroughTheSetOncePerEpoch) {
  Shuffle shuffle(samples, size, 7);
  EXPECT_EQ(shuffle.batches_per_epoch(), 4);
  std::set<std::vector<std::size_t>> orders;
  std::map<std::size_t, int> dropped;
  for (std::int64_t epoch = 0; epoch < 60; ++epoch) {
    std::vector<std::size_t> order;
    for (std::int64_t step = 4 * epoch; step < 4 * epoch + 4; ++step) {
      EXPECT_EQ(shuffle.epoch(step), epoch);
      auto const batch = batch_of(shuffle, step);
      order.insert(order.end(), batch.begin(), batch.end());
    }
    std::set<std::size_t> const distinct(order.begin(), order.end());
    EXPECT_EQ(distinct.size(), 4 * size);
    EXPECT_LT(*distinct.rbegin(), samples);
    for (std::size_t i = 0; i < samples; ++i) dropped[i] += distinct.contains(i) ? 0 : 1;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 60U);
  // 300 drops fall on 53 samples: 5.7 each, with a deviation of 2.3.
  for (auto const& [sample, count] : dropped) EXPECT_LT(count, 5.7 + 5 * 2.3) << sample;
}

TEST(Shuffle, DependsOnSeedAndStepAlone) {
  Shuffle forwards(samples, size, 7), backwards(samples, size, 7), other(samples, size, 8);
  std::map<std::int64_t, std::vector<std::size_t>> seen;
  for (std::int64_t step = 0; step < 12; ++step) seen[step] = batch_of(forwards, step);
  for (std::int64_t step = 12; step-- > 0;) EXPECT_EQ(batch_of(backwards, step), seen[step]);
  EXPECT_NE(batch_of(other, 0), seen[0]);
  EXPECT_THROW(Shuffle(samples, samples + 1, 7), Error);
}

// The first place of a uniform order is uniform.
TEST(Shuffle, IsUniform) {
  constexpr std::size_t n = 5;
  constexpr int epochs = 4000;
  Shuffle shuffle(n, n, 1);
  for (std::size_t place = 0; place < n; ++place) {
    std::vector<int> count(n, 0);
    for (std::int64_t step = 0; step < epochs; ++step) ++count[shuffle.sample(step, place)];
    for (int const c : count) EXPECT_NEAR(c, epochs / 5.0, 5 * std::sqrt(epochs * 0.16));
  }
}

std::uint8_t pixel(std::size_t sample, std::size_t i) {
  return static_cast<std::uint8_t>(1 + (sample * 31 + i * 17) % 255);
}

HostSamples make_samples(std::size_t first, std::size_t count, std::string const& kind) {
  HostSamples result;
  result.count = count;
  result.features = features;
  for (std::size_t sample = first; sample < first + count; ++sample) {
    for (std::size_t i = 0; i < features; ++i) {
      if (kind == "pixels") result.pixels.push_back(pixel(sample, i));
      if (kind == "reals") result.reals.push_back(pixel(sample, i));
      if (kind == "tokens") result.tokens.push_back(pixel(sample, i));
    }
    for (std::size_t i = 0; i < (kind == "tokens" ? features : 1); ++i) {
      result.labels.push_back(static_cast<std::int32_t>(100 * i + sample));
    }
  }
  result.scale = 1.0;
  return result;
}

/// What this rank holds of a batch.
struct Part {
  std::size_t first = 0;
  std::vector<double> values;
  std::vector<std::int32_t> tokens, labels;
};

Part load(MPI_Comm mpi, std::string const& kind, BatchConfig config, std::vector<std::int64_t> const& steps) {
  comm::MpiCommunicator const communicator(mpi);
  int const rank = communicator.rank();
  BlockPartition const whole(samples, block, communicator.size()), partition(size, block, communicator.size());
  auto const mine = make_samples(whole.first_sample(rank), whole.sample_count(rank), kind);
  Shard<Real, Space> const all(gather_all(mine, whole, communicator));
  EXPECT_EQ(all.samples(), samples);
  config.size = size;
  Batch<Real, Space> batch(all, {height, width, channels}, config, 3, partition, rank);
  EXPECT_EQ(batch.batches_per_epoch(), 4);
  std::size_t const count = partition.sample_count(rank);
  EXPECT_EQ(batch.shard().samples(), count);
  for (auto const step : steps) batch.load(Space(), step);
  Part part;
  part.first = partition.first_sample(rank);
  auto const copy = [](auto const& view, auto& to) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
    to.assign(host.data(), host.data() + host.size());
  };
  if (kind == "tokens") {
    copy(batch.shard().tokens(0, count), part.tokens);
  } else {
    Matrix<Real, Space> const plane("onedge::test::plane", count, features);
    batch.shard().load(Space(), 0, count, plane);
    copy(plane, part.values);
  }
  copy(batch.shard().labels(0, count), part.labels);
  return part;
}

TEST(Batch, HoldsThisRanksBlocksOfTheBatch) {
  Shuffle shuffle(samples, size, 3);
  for (std::int64_t const step : {0, 2, 3, 9}) {
    for (auto const* kind : {"pixels", "reals", "tokens"}) {
      auto const part = load(MPI_COMM_WORLD, kind, {}, {5, step});
      bool const tokens = std::string(kind) == "tokens";
      std::size_t const each = tokens ? features : 1, count = part.labels.size() / each;
      for (std::size_t i = 0; i < count; ++i) {
        std::size_t const sample = shuffle.sample(step, part.first + i);
        for (std::size_t j = 0; j < each; ++j) ASSERT_EQ(part.labels[i * each + j], static_cast<int>(100 * j + sample));
        for (std::size_t j = 0; j < features; ++j) {
          ASSERT_EQ(tokens ? part.tokens[i * features + j] : part.values[i * features + j], pixel(sample, j));
        }
      }
    }
  }
}

/// The sample moved, by plain loops; 0 outside.
std::vector<double> moved(std::size_t sample, int down, int right, bool flip) {
  std::vector<double> result;
  for (int y = 0; y < static_cast<int>(height); ++y) {
    for (int x = 0; x < static_cast<int>(width); ++x) {
      int const from_y = y + down, from_x = (flip ? static_cast<int>(width) - 1 - x : x) + right;
      bool const inside =
          from_y >= 0 && from_y < static_cast<int>(height) && from_x >= 0 && from_x < static_cast<int>(width);
      for (std::size_t c = 0; c < channels; ++c) {
        auto const at =
            static_cast<std::size_t>(from_y) * width * channels + static_cast<std::size_t>(from_x) * channels + c;
        result.push_back(inside ? pixel(sample, at) : 0.0);
      }
    }
  }
  return result;
}

TEST(Batch, MovesImagesAtRandom) {
  Shuffle shuffle(samples, size, 3);
  BatchConfig config;
  config.crop = 2;
  config.flip = true;
  std::map<int, int> downs, rights, flips;
  int images = 0;
  for (std::int64_t step = 0; step < 40; ++step) {
    auto const part = load(MPI_COMM_SELF, "pixels", config, {step});
    for (std::size_t i = 0; i < size; ++i) {
      std::size_t const sample = shuffle.sample(step, i);
      ASSERT_EQ(part.labels[i], static_cast<int>(sample));
      std::vector<double> const found(part.values.begin() + static_cast<std::ptrdiff_t>(i * features),
                                      part.values.begin() + static_cast<std::ptrdiff_t>((i + 1) * features));
      int matches = 0;
      for (int down = -2; down <= 2; ++down) {
        for (int right = -2; right <= 2; ++right) {
          for (bool const flip : {false, true}) {
            if (found != moved(sample, down, right, flip)) continue;
            ++matches, ++downs[down], ++rights[right], ++flips[flip];
          }
        }
      }
      ASSERT_EQ(matches, 1);
      ++images;
    }
  }
  double const fifth = images / 5.0, deviation = std::sqrt(images * 0.16);
  for (int shift = -2; shift <= 2; ++shift) {
    EXPECT_NEAR(downs[shift], fifth, 5 * deviation);
    EXPECT_NEAR(rights[shift], fifth, 5 * deviation);
  }
  EXPECT_NEAR(flips[1], images / 2.0, 5 * std::sqrt(images * 0.25));
}

TEST(Batch, IsTheSameForAnyNumberOfRanks) {
  BatchConfig config;
  config.crop = 1;
  config.flip = true;
  for (std::int64_t const step : {0, 6}) {
    auto const alone = load(MPI_COMM_SELF, "pixels", config, {step});
    auto const part = load(MPI_COMM_WORLD, "pixels", config, {step});
    for (std::size_t i = 0; i < part.labels.size(); ++i) ASSERT_EQ(part.labels[i], alone.labels[part.first + i]);
    for (std::size_t i = 0; i < part.values.size(); ++i)
      ASSERT_EQ(part.values[i], alone.values[part.first * features + i]);
  }
}

TEST(Batch, RefusesToMoveWhatIsNoImageOfBytes) {
  BatchConfig config;
  config.flip = true;
  EXPECT_THROW(load(MPI_COMM_SELF, "reals", config, {0}), Error);
  EXPECT_THROW(load(MPI_COMM_SELF, "tokens", config, {0}), Error);
}

BatchConfig bind(std::string const& text) {
  auto const deck = config::Deck::from_text(text, "deck.yaml");
  auto const config = BatchConfig::bind(deck.root().section("batch"));
  deck.check_all_known();
  return config;
}

std::string refusal(std::string const& text) {
  try {
    bind(text);
  } catch (InputError const& error) {
    return error.what();
  }
  return "accepted";
}

TEST(BatchConfig, IsFullUnlessASizeIsGiven) {
  EXPECT_TRUE(bind("{}").is_full());
  EXPECT_TRUE(bind("batch: {size: full}").is_full());
  auto const config = bind("batch: {size: 256, epochs: 512, crop: 4, flip: true}");
  EXPECT_EQ(config.size, 256);
  EXPECT_EQ(config.epochs, 512);
  EXPECT_EQ(config.crop, 4);
  EXPECT_TRUE(config.flip);
  EXPECT_EQ(bind("batch: {size: 1}").epochs, 0);
  EXPECT_NE(refusal("batch: {epochs: 2}").find("batch.epochs: is for mini-batches"), std::string::npos);
  EXPECT_NE(refusal("batch: {size: full, flip: true}").find("batch.flip: is for mini-batches"), std::string::npos);
  EXPECT_NE(refusal("batch: {size: 0}").find("batch.size"), std::string::npos);
  EXPECT_NE(refusal("batch: {size: 8, crop: -1}").find("batch.crop"), std::string::npos);
}

}  // namespace
}  // namespace onedge::data
