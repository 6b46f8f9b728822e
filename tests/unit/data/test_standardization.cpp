// Mean and deviation over the samples of all ranks against plain loops over all samples on one rank.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/data/shard.hpp>
#include <onedge/data/standardization.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <tuple>

namespace onedge::data {
namespace {

constexpr std::size_t samples = 75;  // ten blocks of 8, the last one short
constexpr std::size_t block = 8;
constexpr std::size_t features = 6;  // two positions of three channels; value 4 is constant

HostSamples make_samples(std::size_t first, std::size_t count, bool pixels) {
  RandomStream const random(1, "x");
  HostSamples result;
  result.count = count;
  result.features = features;
  result.labels.assign(count, 0);
  for (std::size_t i = first * features; i < (first + count) * features; ++i) {
    bool const constant = i % features == 4;
    if (pixels) {
      result.pixels.push_back(constant ? 200 : static_cast<std::uint8_t>(random.integer(i, 256)));
    } else {
      result.reals.push_back(constant ? 0.1 : 3.0 * static_cast<double>(i % features) + random.normal(i));
    }
  }
  return result;
}

Standardization measured(MPI_Comm mpi, bool pixels, std::size_t size) {
  comm::MpiCommunicator const communicator(mpi);
  BlockPartition const partition(samples, block, communicator.size());
  int const rank = communicator.rank();
  auto const mine = make_samples(partition.first_sample(rank), partition.sample_count(rank), pixels);
  return measure_standardization(mine, size, partition, communicator);
}

class StandardizationTest : public testing::TestWithParam<std::tuple<bool, std::size_t>> {};

TEST_P(StandardizationTest, IsMeanAndDeviationOfAllSamples) {
  bool const pixels = std::get<0>(GetParam());
  std::size_t const size = std::get<1>(GetParam());
  auto const result = measured(MPI_COMM_WORLD, pixels, size);
  ASSERT_EQ(result.mean.size(), size);
  ASSERT_EQ(result.deviation.size(), size);
  auto const all = make_samples(0, samples, pixels);
  auto const value = [&](std::size_t i) { return pixels ? all.pixels[i] : all.reals[i]; };
  std::size_t const values = samples * features / size;
  auto const count = static_cast<double>(values);
  for (std::size_t j = 0; j < size; ++j) {
    double mean = 0, variance = 0;
    for (std::size_t i = j; i < samples * features; i += size) mean += value(i) / count;
    for (std::size_t i = j; i < samples * features; i += size) variance += std::pow(value(i) - mean, 2) / count;
    EXPECT_NEAR(result.mean[j], mean, 1e-13 * std::abs(mean) + 1e-14);
    bool const constant = size == features && j == 4;
    EXPECT_NEAR(result.deviation[j], constant ? 1.0 : std::sqrt(variance), 1e-12);
  }
}

TEST_P(StandardizationTest, HasTheSameBitsForAnyNumberOfRanks) {
  bool const pixels = std::get<0>(GetParam());
  std::size_t const size = std::get<1>(GetParam());
  auto const together = measured(MPI_COMM_WORLD, pixels, size);
  auto const alone = measured(MPI_COMM_SELF, pixels, size);
  EXPECT_EQ(together.mean, alone.mean);
  EXPECT_EQ(together.deviation, alone.deviation);
}

TEST_P(StandardizationTest, MakesInputsOfMeanZeroAndDeviationOne) {
  bool const pixels = std::get<0>(GetParam());
  std::size_t const size = std::get<1>(GetParam());
  auto const all = make_samples(0, samples, pixels);
  Shard<double, HostSpace> const shard(all, measured(MPI_COMM_WORLD, pixels, size));
  Matrix<double, HostSpace> const plane("onedge::test::plane", samples, features);
  shard.load(HostSpace(), 0, samples, plane);
  for (std::size_t j = 0; j < size; ++j) {
    double mean = 0, square = 0;
    std::size_t const values = samples * features / size;
    auto const count = static_cast<double>(values);
    for (std::size_t i = j; i < samples * features; i += size) {
      mean += plane.data()[i] / count;
      square += plane.data()[i] * plane.data()[i] / count;
    }
    EXPECT_NEAR(mean, 0.0, 1e-13);
    bool const constant = size == features && j == 4;
    EXPECT_NEAR(square, constant ? 0.0 : 1.0, 1e-12);
    if (constant) {
      for (std::size_t i = j; i < samples * features; i += size) EXPECT_EQ(plane.data()[i], 0.0);
    }
  }
  // A part of the shard is loaded as it is in the whole; bytes remain bytes.
  Matrix<double, HostSpace> const part("onedge::test::part", 5, features);
  shard.load(HostSpace(), 11, 5, part);
  for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part.data()[i], plane.data()[11 * features + i]);
  EXPECT_EQ(shard.bytes(), samples * features * (pixels ? 1 : sizeof(double)) + samples * 4);
}

/// Two values in a sample, out of a list.
class ListSource : public Source {
 public:
  explicit ListSource(std::vector<double> values) : Source({"list", values.size() / 2, {2}, 1}), m_values(values) {}

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    HostSamples result;
    auto const begin = m_values.begin() + static_cast<std::ptrdiff_t>(2 * first);
    result.reals.assign(begin, begin + static_cast<std::ptrdiff_t>(2 * count));
    result.labels.assign(count, 0);
    return result;
  }
  std::vector<double> m_values;
};

std::string refusal(std::function<void()> const& action) {
  try {
    action();
    return "accepted";
  } catch (Error const& error) {
    return error.what();
  }
}

TEST(Inputs, MustBeNumbersOfTheirPrecision) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  ListSource const source({1, 2, 3, -1e39, 5, std::nan(""), -infinity, 8});
  EXPECT_EQ(refusal([&] { source.read(1, 2); }), "list: sample 2 holds NaN");
  EXPECT_EQ(refusal([&] { source.read(3, 1); }), "list: sample 3 holds infinity");
  auto const found = source.read(0, 2);
  auto const check = [&]<class Real>(Real, Standardization const& standardization) {
    return refusal([&] { check_inputs<Real>(source, 0, found, standardization); });
  };
  EXPECT_EQ(check(1.0, {}), "accepted");
  EXPECT_NE(check(1.0f, {}).find("list: sample 1 holds -1e+39, beyond single precision"), std::string::npos);
  EXPECT_EQ(check(1.0f, {{0, 0}, {1, 1e39}}), "accepted");
  EXPECT_NE(
      check(1.0f, {{0, 0}, {1e-39, 1e39}}).find("list: sample 0 holds 1, which once standardised is beyond single"),
      std::string::npos);
  EXPECT_NE(check(1.0, {{0, 0}, {1, 1e-300}}).find("list: sample 1 holds -1e+39, which"), std::string::npos);
}

TEST(Inputs, MustNotOverflowWhereTheyAreStandardised) {
  comm::MpiCommunicator const communicator(MPI_COMM_WORLD);
  BlockPartition const partition(8, 1, communicator.size());
  ListSource const source({1, 2, 3, 1e200, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  auto const mine =
      source.read(partition.first_sample(communicator.rank()), partition.sample_count(communicator.rank()));
  EXPECT_NE(refusal([&] { measure_standardization(mine, 2, partition, communicator); }).find("data.standardize"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(PixelsAndReals, StandardizationTest,
                         testing::Combine(testing::Bool(), testing::Values(features, std::size_t{3}, std::size_t{1})));

}  // namespace
}  // namespace onedge::data
