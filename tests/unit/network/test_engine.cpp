// The engine's passes against each other and against central differences, for a network that has everything that an MLP
// lacks, and for every operation and loss.
#include <gtest/gtest.h>
#include <support/engine_checks.hpp>
#include <support/small_networks.hpp>

#include <cmath>

namespace {

using namespace onedge;
using Space = DefaultSpace;

class EngineTest : public testing::TestWithParam<std::string> {};

template <class Real>
test::Engine<Real, Space> engine_of(std::string const& name, std::vector<std::size_t> micro_batches = {5, 3}) {
  return test::engine_of<Real, Space>(name, std::move(micro_batches));
}

TEST_P(EngineTest, IdentitiesDouble) {
  auto engine = engine_of<double>(GetParam());
  test::check_identities(engine, 1e-12);
}
TEST_P(EngineTest, IdentitiesFloat) {
  auto engine = engine_of<float>(GetParam());
  test::check_identities(engine, 2e-5);
}
TEST_P(EngineTest, GradientIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = engine_of<double>(GetParam());
  test::check_gradient_order(engine);
}
TEST_P(EngineTest, ProductIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = engine_of<double>(GetParam());
  test::check_product_order(engine);
}
TEST_P(EngineTest, MicroBatchesDoNotMatter) {
  auto one = engine_of<double>(GetParam(), {8});
  auto three = engine_of<double>(GetParam(), {1, 4, 3});
  test::check_same(one, three, 1e-13);
}

TEST_P(EngineTest, WhatIsSettledInTheReversePassIsFinal) {
  auto engine = engine_of<double>(GetParam(), {8});
  std::vector<std::pair<std::size_t, std::vector<double>>> seen;  // from an entry on
  auto const note = [&](std::size_t first, std::vector<double> const& so_far) {
    seen.emplace_back(first, std::vector<double>(so_far.begin() + static_cast<std::ptrdiff_t>(first), so_far.end()));
  };
  auto const gradient = engine.evaluate({}, note).gradient;
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().first, 0u);
  EXPECT_GT(seen.front().first, 0u);
  for (auto const& [first, values] : seen) {
    EXPECT_TRUE(std::equal(values.begin(), values.end(), gradient.end() - static_cast<std::ptrdiff_t>(values.size())))
        << "from " << first;
  }
}

/// Kernel files are compiled with relaxed arithmetic; a NaN must still reach the loss.
TEST_P(EngineTest, NotANumberReachesTheLoss) {
  for (std::size_t const position : {std::size_t{0}, std::size_t{20}}) {
    auto engine = engine_of<float>(GetParam());
    engine.weights()[position] = std::nan("");
    auto const loss = engine.evaluate({}).loss;
    EXPECT_TRUE(std::isnan(loss)) << "parameter " << position;
  }
}

std::string plain(testing::TestParamInfo<std::string> const& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Networks, EngineTest, testing::ValuesIn(test::small_networks()), plain);

}  // namespace
