// The causal softmax: what lies ahead counts for nothing, in no plane, and never makes a NaN.
#include <onedge/network/feature.hpp>
#include <onedge/network/softmax.hpp>

#include <gtest/gtest.h>
#include <support/engine.hpp>

namespace {

using namespace onedge;
using namespace onedge::network;
using Space = DefaultSpace;

/// Scores [3, 3] as parameters → softmax → squared error of each row.
void scores(Network<double, Space>& net) {
  Value const table = bias(net, net.input({9}), "scores").reshaped({3, 3});
  net.finish(squared_error<double, Space>(softmax(net, table, true)));
}

test::Engine<double, Space> engine_with(std::vector<double> const& weights) {
  test::Engine<double, Space> engine(scores, {1}, 3, 1);
  engine.inputs().assign(9, 0);
  engine.weights() = weights;
  return engine;
}

TEST(Softmax, CausalRowsKnowThePastOnly) {
  double const a = 0.3, b = -0.2, far = 50;
  auto engine = engine_with({a, far, far, a, b, far, a, b, 0.1});
  auto near = engine_with({a, 0, 0, a, b, 0, a, b, 0.1});
  auto const u = engine.direction("u");
  auto const far_result = engine.evaluate({u}), near_result = near.evaluate({u});
  EXPECT_EQ(far_result.loss, near_result.loss);
  EXPECT_EQ(far_result.contractions, near_result.contractions);
  EXPECT_EQ(far_result.seconds, near_result.seconds);
  for (std::size_t const masked : {1, 2, 5}) {
    EXPECT_EQ(far_result.gradient[masked], 0.0);
    EXPECT_EQ(far_result.products[0][masked], 0.0);
  }
  EXPECT_NE(far_result.gradient[3], 0.0);
}

TEST(Softmax, LargeScoresAreFinite) {
  auto engine = engine_with({1e4, -1e4, 1e300, -1e4, 1e4, -1e300, 1e4, 1e4, -1e4});
  auto const result = engine.evaluate({engine.direction("u")});
  EXPECT_TRUE(std::isfinite(result.loss));
  for (double const value : result.gradient) EXPECT_TRUE(std::isfinite(value));
  for (double const value : result.products[0]) EXPECT_TRUE(std::isfinite(value));
}

}  // namespace
