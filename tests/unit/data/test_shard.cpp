// Samples in the kernels' memory: conversion to both precisions, in both spaces.
#include <onedge/core/error.hpp>
#include <onedge/data/shard.hpp>

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

namespace {

using onedge::data::HostSamples;
using onedge::data::Shard;

template <class Real_, class Space_>
struct Backend {
  using Real = Real_;
  using Space = Space_;
};

HostSamples pixels() {
  HostSamples samples;
  samples.count = 37;
  samples.features = 19;
  for (std::size_t i = 0; i < samples.count * samples.features; ++i) {
    samples.pixels.push_back(static_cast<std::uint8_t>(i * 7));
  }
  for (int i = 0; i < 37; ++i) samples.labels.push_back(i % 10);
  return samples;
}

HostSamples reals() {
  auto samples = pixels();
  for (auto const pixel : samples.pixels) samples.reals.push_back(0.1 * pixel - 3.0);
  samples.pixels.clear();
  return samples;
}

template <class B>
class ShardTest : public testing::Test {
 protected:
  using TestedReal = typename B::Real;
  using TestedSpace = typename B::Space;

  /// load() into a fresh plane, brought to the host.
  static std::vector<TestedReal> loaded(Shard<TestedReal, TestedSpace> const& shard, std::size_t first,
                                        std::size_t count) {
    TestedSpace const space;
    onedge::Matrix<TestedReal, TestedSpace> plane("onedge::test::plane", count, shard.features());
    shard.load(space, first, count, plane);
    space.fence();
    auto const plane_host = Kokkos::create_mirror_view(plane);
    Kokkos::deep_copy(plane_host, plane);
    return {plane_host.data(), plane_host.data() + plane_host.size()};
  }
};

using Backends = testing::Types<Backend<float, onedge::HostSpace>, Backend<double, onedge::HostSpace>,
                                Backend<float, onedge::DefaultSpace>, Backend<double, onedge::DefaultSpace>>;
TYPED_TEST_SUITE(ShardTest, Backends);

TYPED_TEST(ShardTest, ScalesPixels) {
  using Real = typename TypeParam::Real;
  auto const samples = pixels();
  Shard<Real, typename TypeParam::Space> const shard(samples);
  EXPECT_EQ(shard.samples(), 37U);
  EXPECT_EQ(shard.features(), 19U);
  EXPECT_EQ(shard.bytes(), 37U * 19U + 37U * 4U);
  std::set<Real> values;
  for (std::size_t const first : {0U, 1U, 30U}) {
    for (std::size_t const count : {1U, 2U, 7U}) {
      auto const plane = this->loaded(shard, first, count);
      for (std::size_t i = 0; i < count * 19; ++i) {
        ASSERT_EQ(plane[i], static_cast<Real>(1.0 / 255.0) * static_cast<Real>(samples.pixels[first * 19 + i]));
        values.insert(plane[i]);
      }
    }
  }
  EXPECT_GT(values.size(), 50U);
}

TYPED_TEST(ShardTest, KeepsReals) {
  using Real = typename TypeParam::Real;
  auto const samples = reals();
  Shard<Real, typename TypeParam::Space> const shard(samples);
  EXPECT_EQ(shard.bytes(), 37U * 19U * sizeof(Real) + 37U * 4U);
  auto const plane = this->loaded(shard, 5, 20);
  for (std::size_t i = 0; i < 20 * 19; ++i) ASSERT_EQ(plane[i], static_cast<Real>(samples.reals[5 * 19 + i]));
}

TYPED_TEST(ShardTest, HandsOutLabels) {
  Shard<typename TypeParam::Real, typename TypeParam::Space> const shard(pixels());
  auto const labels = shard.labels(8, 5);
  static_assert(std::is_same_v<typename decltype(labels)::value_type, std::int32_t const>);
  auto const labels_host = Kokkos::create_mirror_view(labels);
  Kokkos::deep_copy(labels_host, labels);
  ASSERT_EQ(labels.extent(0), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(labels_host(i), static_cast<int>((8 + i) % 10));
  EXPECT_EQ(shard.labels(37, 0).extent(0), 0U);
}

TYPED_TEST(ShardTest, HandsOutTokensAndTheirLabels) {
  HostSamples samples;
  samples.count = 11;
  samples.features = 4;
  for (int i = 0; i < 44; ++i) samples.tokens.push_back(i), samples.labels.push_back(100 + i);
  Shard<typename TypeParam::Real, typename TypeParam::Space> const shard(samples);
  EXPECT_EQ(shard.labels_per_sample(), 4U);
  EXPECT_EQ(shard.bytes(), 2U * 44U * 4U);
  auto const tokens = shard.tokens(3, 5), labels = shard.labels(3, 5);
  ASSERT_EQ(tokens.extent(0), 20U);
  ASSERT_EQ(labels.extent(0), 20U);
  auto const tokens_host = Kokkos::create_mirror_view(tokens), labels_host = Kokkos::create_mirror_view(labels);
  Kokkos::deep_copy(tokens_host, tokens);
  Kokkos::deep_copy(labels_host, labels);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(tokens_host(i), 12 + i);
    EXPECT_EQ(labels_host(i), 112 + i);
  }
  EXPECT_THROW(this->loaded(shard, 0, 1), onedge::Error);
  EXPECT_THROW(shard.tokens(8, 4), onedge::Error);
}

TYPED_TEST(ShardTest, RefusesWhatItDoesNotHold) {
  using Real = typename TypeParam::Real;
  using Space = typename TypeParam::Space;
  Shard<Real, Space> const shard(pixels());
  EXPECT_THROW(shard.labels(30, 8), onedge::Error);
  EXPECT_THROW(this->loaded(shard, 30, 8), onedge::Error);
  onedge::Matrix<Real, Space> const plane("onedge::test::plane", 4, 18);
  EXPECT_THROW(shard.load(Space(), 0, 4, plane), onedge::Error);
  auto broken = pixels();
  broken.pixels.pop_back();
  EXPECT_THROW((Shard<Real, Space>(broken)), onedge::Error);
  broken = pixels();
  broken.tokens.push_back(1);
  EXPECT_THROW((Shard<Real, Space>(broken)), onedge::Error);
  EXPECT_EQ((Shard<Real, Space>(pixels()).tokens(0, 37).extent(0)), 0U);
  EXPECT_EQ((Shard<Real, Space>()).samples(), 0U);
  EXPECT_EQ((Shard<Real, Space>(HostSamples())).samples(), 0U);
}

}  // namespace
