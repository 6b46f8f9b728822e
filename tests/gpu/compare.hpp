#pragma once
// What the tests of this folder share: skipped where there is no device, tolerances, comparison of vectors.
#include <onedge/core/kokkos.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace onedge::test {

/// Every test here begins with it.
class Device : public testing::Test {
 protected:
  void SetUp() override {
    if (is_host_space<DefaultSpace>) GTEST_SKIP() << "SKIPPED: this build has no device backend";
  }
};

/// In units of the largest entry, or of 1 where all are smaller.
template <class Real>
inline constexpr double tolerance = sizeof(Real) == sizeof(float) ? 1e-5 : 1e-12;

template <class Real>
void expect_close(std::vector<double> const& device, std::vector<double> const& host, char const* what) {
  ASSERT_EQ(device.size(), host.size()) << what;
  double scale = 1, largest = 0;
  for (double const value : host) scale = std::max(scale, std::abs(value));
  for (std::size_t i = 0; i < host.size(); ++i) largest = std::max(largest, std::abs(device[i] - host[i]));
  EXPECT_LE(largest, tolerance<Real> * scale) << what;  // a NaN fails, too
}

}  // namespace onedge::test
