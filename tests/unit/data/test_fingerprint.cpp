// What samples are: independent of the ranks that hold them, of where they lie and how they are packed; and of nothing
// else. The two numbers of the first test come from a loop in Python over the definition in fingerprint.hpp.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/data/data_config.hpp>
#include <onedge/data/fingerprint.hpp>
#include <onedge/data/partition.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <type_traits>

namespace onedge::data {
namespace {

/// The fingerprint of these samples, spread over all ranks in blocks of that size.
std::string of(HostSamples const& all, SourceDescription const& description, std::size_t block = 4) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  BlockPartition const partition(all.count, block, world.size());
  std::size_t const first = partition.first_sample(world.rank()), count = partition.sample_count(world.rank());
  auto const part = [&](auto const& values) {
    auto const each = static_cast<std::ptrdiff_t>(values.size() / all.count);
    auto const begin = values.begin() + static_cast<std::ptrdiff_t>(first) * each;
    return std::decay_t<decltype(values)>(begin, begin + static_cast<std::ptrdiff_t>(count) * each);
  };
  HostSamples mine;
  mine.count = count;
  mine.features = all.features;
  mine.pixels = part(all.pixels);
  mine.reals = part(all.reals);
  mine.labels = part(all.labels);
  return fingerprint(description, mine, first, all.count, world);
}

HostSamples images() {
  HostSamples samples;
  samples.count = 40;
  samples.features = 12;
  for (std::size_t i = 0; i < 480; ++i) samples.pixels.push_back(static_cast<std::uint8_t>(7 * i % 251));
  for (std::size_t i = 0; i < 40; ++i) samples.labels.push_back(static_cast<std::int32_t>(i % 3));
  return samples;
}

SourceDescription const description{"anywhere", 40, {2, 2, 3}, 3};

// The value is that of one rank, whatever the number of ranks of this test is: files depend on it.
TEST(Fingerprint, IsTheSameOnAnyNumberOfRanksAndForEver) {
  std::string const expected = of(images(), description);
  EXPECT_EQ(expected, "40 samples of [2, 2, 3] pixels in 3 classes, inputs dec967682f962aa3, labels 51b7a7c0a3330cc1");
  EXPECT_EQ(of(images(), description, 1), expected);
  EXPECT_EQ(of(images(), description, 13), expected);
  SourceDescription elsewhere = description;
  elsewhere.name = "elsewhere";
  EXPECT_EQ(of(images(), elsewhere), expected);
}

TEST(Fingerprint, ChangesWithEveryPixelLabelOrderAndShape) {
  std::set<std::string> found{of(images(), description)};
  for (std::size_t i : {0, 11, 200, 479}) {
    auto changed = images();
    changed.pixels[i] ^= 1;
    EXPECT_TRUE(found.insert(of(changed, description)).second) << i;
  }
  auto labels = images();
  labels.labels[39] = 2;
  EXPECT_TRUE(found.insert(of(labels, description)).second);
  auto swapped = images();
  std::swap_ranges(swapped.pixels.begin(), swapped.pixels.begin() + 12,
                   swapped.pixels.begin() + 36);  // 0 and 3: label 0
  EXPECT_TRUE(found.insert(of(swapped, description)).second);
  SourceDescription flat = description;
  flat.shape = {12};
  EXPECT_TRUE(found.insert(of(images(), flat)).second);
  auto numbers = images();
  numbers.reals.assign(numbers.pixels.begin(), numbers.pixels.end());
  numbers.pixels.clear();
  EXPECT_TRUE(found.insert(of(numbers, description)).second);
}

}  // namespace
}  // namespace onedge::data
