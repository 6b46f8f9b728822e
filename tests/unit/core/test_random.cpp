// The counter-based generator: known bits, moments, and values that depend on (seed, name, index) alone.
#include <onedge/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace onedge {
namespace {

constexpr std::uint64_t count = 200000;

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

Moments moments(std::function<double(std::uint64_t)> const& value) {
  Moments m;
  for (std::uint64_t i = 0; i < count; ++i) m.mean += value(i) / count;
  double third = 0, fourth = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    double const d = value(i) - m.mean;
    m.variance += d * d / count;
    third += d * d * d / count;
    fourth += d * d * d * d / count;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

// Tolerances are five standard errors of the estimate.
double errors(double deviation) { return 5 * deviation / std::sqrt(static_cast<double>(count)); }

TEST(RandomStream, UniformHasTheMomentsOfTheOpenUnitInterval) {
  RandomStream const random(3, "uniform");
  auto const m = moments([&](std::uint64_t i) { return random.uniform(i); });
  EXPECT_NEAR(m.mean, 0.5, errors(std::sqrt(1.0 / 12)));
  EXPECT_NEAR(m.variance, 1.0 / 12, errors(std::sqrt(1.0 / 180)));
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_GT(random.uniform(i), 0.0);
    ASSERT_LT(random.uniform(i), 1.0);
  }
}

TEST(RandomStream, NormalHasTheMomentsOfANormal) {
  RandomStream const random(4, "normal");
  auto const m = moments([&](std::uint64_t i) { return random.normal(i); });
  EXPECT_NEAR(m.mean, 0.0, errors(1));
  EXPECT_NEAR(m.variance, 1.0, errors(std::sqrt(2.0)));
  EXPECT_NEAR(m.skewness, 0.0, errors(std::sqrt(6.0)));
  EXPECT_NEAR(m.kurtosis, 3.0, errors(std::sqrt(24.0)));
}

TEST(RandomStream, TruncatedNormalStaysWithinTwoAndHasItsDeviation) {
  RandomStream const random(5, "truncated");
  double largest = 0;
  for (std::uint64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(random.truncated_normal(i)));
  EXPECT_LE(largest, 2.0);
  EXPECT_GT(largest, 1.99);
  auto const m = moments([&](std::uint64_t i) { return random.truncated_normal(i); });
  EXPECT_NEAR(m.mean, 0.0, errors(0.88));
  EXPECT_NEAR(std::sqrt(m.variance), 0.87962566103423978, errors(0.6));
}

TEST(RandomStream, IntegersAreUniformBelowTheirBound) {
  RandomStream const random(6, "integer");
  std::vector<int> hits(7);
  for (std::uint64_t i = 0; i < count; ++i) ++hits.at(random.integer(i, hits.size()));
  double chi_squared = 0;
  double const expected = static_cast<double>(count) / static_cast<double>(hits.size());
  for (int const hit : hits) chi_squared += (hit - expected) * (hit - expected) / expected;
  EXPECT_LT(chi_squared, 22.5);  // 0.999 quantile, 6 degrees of freedom
}

TEST(RandomStream, NeighbouringValuesAreUncorrelated) {
  RandomStream const random(7, "neighbours"), other(7, "others"), next_seed(8, "neighbours");
  double along = 0, across = 0, seeds = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    along += random.normal(i) * random.normal(i + 1) / count;
    across += random.normal(i) * other.normal(i) / count;
    seeds += random.normal(i) * next_seed.normal(i) / count;
  }
  EXPECT_NEAR(along, 0, errors(1));
  EXPECT_NEAR(across, 0, errors(1));
  EXPECT_NEAR(seeds, 0, errors(1));
}

TEST(RandomStream, ValuesDependOnSeedNameAndIndexAlone) {
  RandomStream const random(9, "order");
  std::vector<double> forward, backward;
  for (std::uint64_t i = 0; i < 100; ++i) forward.push_back(random.truncated_normal(i));
  for (std::uint64_t i = 100; i-- > 0;) backward.push_back(RandomStream(9, "order").truncated_normal(i));
  std::reverse(backward.begin(), backward.end());
  EXPECT_EQ(forward, backward);
  EXPECT_NE(random.uniform(0), RandomStream(10, "order").uniform(0));
  EXPECT_NE(random.uniform(0), RandomStream(9, "ordes").uniform(0));
  // Indices and seeds of more than 32 bits count in full.
  constexpr std::uint64_t high = std::uint64_t{1} << 32;
  std::set<double> const distinct{random.uniform(0), random.uniform(1), random.uniform(high), random.uniform(high + 1),
                                  RandomStream(9 + high, "order").uniform(0)};
  EXPECT_EQ(distinct.size(), 5u);
}

TEST(RandomStream, TheOpenIntervalHoldsNeitherOfItsEnds) {
  std::uint32_t const all = 0xffffffffu;
  EXPECT_EQ(open_unit_interval(0, 0), 0x1p-54);
  EXPECT_EQ(open_unit_interval(all, all), 1 - 0x1p-53);
  EXPECT_EQ(open_unit_interval(all, all - (1u << 11)), 1 - 0x1p-52);  // half way to the next: even, as ever
  EXPECT_EQ(open_unit_interval(1u << 31, 0), 0.5 + 0x1p-53 - 0x1p-53);
  for (std::uint32_t low = 0; low < 1u << 20; low += 2048) {
    EXPECT_GT(open_unit_interval(0, low), 0.0);
    EXPECT_LT(open_unit_interval(all, all - low), 1.0);
    EXPECT_TRUE(std::isfinite(std::log(open_unit_interval(0, low))));
  }
}

TEST(RandomStream, LargeBoundsAreKept) {
  RandomStream const random(0, "large");
  for (std::uint64_t const bound : {~std::uint64_t{0}, (std::uint64_t{1} << 53) + 1, std::uint64_t{1}}) {
    for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_LT(random.integer(i, bound), bound);
  }
}

TEST(RandomStream, NamesOfOneNumberAreOneSequence) {
  EXPECT_EQ(RandomStream::number("dense_64424/kernel"), RandomStream::number("dense_7344/bias"));
  EXPECT_EQ(RandomStream(3, "dense_64424/kernel").uniform(5), RandomStream(3, "dense_7344/bias").uniform(5));
  std::set<std::uint32_t> numbers;
  for (auto const name : streams::all) numbers.insert(RandomStream::number(name));
  EXPECT_EQ(numbers.size(), streams::all.size());
}

TEST(RandomStream, BitsStayAsTheyAre) {
  // From an independent Philox4x32-10 in Python. Repeated runs depend on these values: change them on purpose only.
  RandomStream const random(0, "dense_0/kernel");
  EXPECT_EQ(random.uniform(0), 0x1.70c92ddcd8beap-1);
  EXPECT_EQ(random.uniform(12345), 0x1.707038d307222p-3);
  EXPECT_NEAR(random.normal(0), 0.7239649931861071, 1e-14);
}

}  // namespace
}  // namespace onedge
