#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/core/profile.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <thread>

namespace {

using namespace onedge;

void sleep(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

void inner() {
  ScopedRegion const region("test", "inner");
  sleep(20);
}

void outer() {
  ScopedRegion const region("test", "outer");
  sleep(10);
  inner();
  inner();
}

TEST(Profile, TimesAndCallsByPath) {
  Profile const profile;
  outer();
  inner();
  auto const regions = profile.regions();
  ASSERT_EQ(regions.size(), 3u);
  EXPECT_EQ(regions[0].path, "onedge::test::outer");
  EXPECT_EQ(regions[1].path, "onedge::test::outer > onedge::test::inner");
  EXPECT_EQ(regions[2].path, "onedge::test::inner");
  EXPECT_EQ(regions[1].name, "onedge::test::inner");
  EXPECT_EQ(regions[0].calls, 1);
  EXPECT_EQ(regions[1].calls, 2);
  EXPECT_GE(regions[0].seconds, 0.050);
  EXPECT_GE(regions[1].seconds, 0.040);
  EXPECT_NEAR(regions[0].own_seconds, regions[0].seconds - regions[1].seconds, 1e-12);
  EXPECT_EQ(regions[1].own_seconds, regions[1].seconds);
}

TEST(Profile, ARegionThatBeganBeforeIsNotCounted) {
  Kokkos::Profiling::pushRegion("onedge::test::earlier");
  Profile const profile;
  Kokkos::Profiling::popRegion();
  EXPECT_TRUE(profile.regions().empty());
}

TEST(Profile, ThereIsOneAtATimeAndItLeavesTheToolThatWasThere) {
  static std::map<std::string, int> heard;
  Kokkos::Tools::Experimental::set_push_region_callback([](char const* name) { ++heard[name]; });
  {
    Profile const profile;
    EXPECT_THROW(Profile(), Error);
    inner();
  }
  inner();
  EXPECT_EQ(heard["onedge::test::inner"], 2);
  Kokkos::Tools::Experimental::set_push_region_callback(nullptr);
}

}  // namespace
