// Constant, schedule, Polyak and hyper-gradient: formulas, edge cases, and what each asks the line for.
#include <onedge/core/error.hpp>
#include <onedge/tuner/constant.hpp>
#include <onedge/tuner/hypergradient.hpp>
#include <onedge/tuner/polyak.hpp>
#include <onedge/tuner/schedule.hpp>
#include <onedge/tuner/sharpness.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fake_line.hpp"

namespace onedge::tuner {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Constant, AsksForNothing) {
  Constant tuner({.learning_rate = 0.25});
  FakeLine line;
  EXPECT_EQ(tuner.learning_rate(line), 0.25);
  EXPECT_EQ(line.asked, Asked{});
  EXPECT_FALSE(tuner.needs_curvature(0));
  EXPECT_TRUE(tuner.state().empty());
}

Schedule schedule(std::string const& shape, double warmup, double horizon, double final_rate, std::int64_t steps) {
  return Schedule({.peak = 0.8, .shape = shape, .warmup = warmup, .horizon = horizon, .final_rate = final_rate},
                  {steps});
}

TEST(Schedule, AsksForNothing) {
  auto tuner = schedule("linear", 4, 0, 0, 20);
  FakeLine line;
  line.m_step = 2;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.4);
  EXPECT_EQ(line.asked, Asked{});
}

TEST(Schedule, WarmsUpFromZeroAndReachesThePeakAtTheEndOfTheWarmUp) {
  for (auto const* shape : {"constant", "linear", "cosine"}) {
    auto const tuner = schedule(shape, 4, 0, 0, 20);
    EXPECT_EQ(tuner.at(0), 0.0);
    EXPECT_DOUBLE_EQ(tuner.at(1), 0.2);
    EXPECT_DOUBLE_EQ(tuner.at(3), 0.6);
    EXPECT_DOUBLE_EQ(tuner.at(4), 0.8);
  }
}

TEST(Schedule, Shapes) {
  auto const constant = schedule("constant", 4, 0, 0, 20);
  auto const linear = schedule("linear", 4, 0, 0.08, 20);
  auto const cosine = schedule("cosine", 4, 0, 0.08, 20);
  for (int t = 4; t < 20; ++t) {
    double const s = (t - 4) / 16.0, alpha = 0.1;
    EXPECT_EQ(constant.at(t), 0.8);
    EXPECT_NEAR(linear.at(t), 0.8 + (0.08 - 0.8) * s, 1e-15);
    EXPECT_NEAR(cosine.at(t), 0.8 * ((1 - alpha) * 0.5 * (1 + std::cos(M_PI * s)) + alpha), 1e-15);
  }
}

TEST(Schedule, AfterTheHorizonTheRateIsFinal) {
  for (auto const* shape : {"constant", "linear", "cosine"}) {
    auto const to_zero = schedule(shape, 0, 10, 0, 20);
    EXPECT_GT(to_zero.at(9), 0.0);
    for (int t : {10, 11, 19, 1000}) EXPECT_EQ(to_zero.at(t), 0.0);
    EXPECT_EQ(schedule(shape, 0, 10, 0.01, 20).at(10), 0.01);
  }
}

TEST(Schedule, NumbersBelowOneAreFractionsOfTheRun) {
  auto const fractions = schedule("linear", 0.1, 0.5, 0, 200);
  auto const steps = schedule("linear", 20, 100, 0, 200);
  for (int t = 0; t < 200; ++t) EXPECT_EQ(fractions.at(t), steps.at(t));
  EXPECT_EQ(fractions.at(20), 0.8);
}

TEST(Schedule, MayCountInEpochs) {
  Schedule const epochs(
      {.peak = 0.8, .shape = "cosine", .warmup = 3, .horizon = 12, .unit = "epochs", .final_rate = 0.1}, {200, 10});
  auto const steps = schedule("cosine", 30, 120, 0.1, 200);
  for (int t = 0; t < 200; ++t) EXPECT_EQ(epochs.at(t), steps.at(t));
  // Fractions are of the run whatever the unit.
  Schedule const fractions({.peak = 0.8, .shape = "linear", .warmup = 0.1, .horizon = 0.5, .unit = "epochs"},
                           {200, 10});
  auto const linear = schedule("linear", 0.1, 0.5, 0, 200);
  for (int t = 0; t < 200; ++t) EXPECT_EQ(fractions.at(t), linear.at(t));
}

TEST(Schedule, AWarmUpBeyondTheHorizonIsAnInputError) {
  EXPECT_THROW(schedule("linear", 0.5, 0.25, 0, 100), InputError);
  EXPECT_NO_THROW(schedule("linear", 0.25, 0.25, 0, 100));
}

TEST(Polyak, IsItsFormulaAndAsksForLossAndGradientNorm) {
  Polyak tuner({.maximum = 100.0, .minimum_loss = 0.5});
  FakeLine line;
  line.m_loss = 3.5;
  line.m_gradient_norm = 2.0;
  line.m_update_norm = 17.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.75);
  EXPECT_EQ(line.asked, (Asked{.loss = 1, .gradient_norm = 1}));
  EXPECT_FALSE(tuner.needs_curvature(0));
}

TEST(Polyak, IsBoundedOnBothSides) {
  Polyak tuner({.maximum = 2.0, .minimum_loss = 0.5});
  FakeLine line;
  line.m_gradient_norm = 0.1;
  EXPECT_EQ(tuner.learning_rate(line), 2.0);
  line.m_gradient_norm = 0.0;
  EXPECT_EQ(tuner.learning_rate(line), 2.0);
  line.m_loss = 0.5;
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  line.m_loss = 0.4;
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  line.m_loss = std::nan("");
  EXPECT_TRUE(std::isnan(tuner.learning_rate(line)));
}

TEST(Hypergradient, IsItsFormulaAndAsksForThePreviousSlopeAndTwoNorms) {
  Hypergradient tuner({.initial = 0.5, .beta = 0.1});
  FakeLine line;
  EXPECT_EQ(tuner.learning_rate(line), 0.5);
  EXPECT_EQ(line.asked, Asked{});
  line.m_step = 1;
  line.m_has_previous = true;
  line.m_gradient_norm = 2.0;
  line.m_previous_update_norm = 3.0;
  line.m_previous_slope = -4.5;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.5 * 1.075);
  EXPECT_EQ(line.asked, (Asked{.gradient_norm = 1, .previous_slope = 1, .previous_update_norm = 1}));
  line.m_previous_slope = 6.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.5 * 1.075 * 0.9);
}

TEST(Hypergradient, AZeroNormLeavesTheRate) {
  Hypergradient tuner({.initial = 0.5, .beta = 0.1});
  FakeLine line;
  line.m_has_previous = true;
  line.m_gradient_norm = 0.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.5);
  line.m_gradient_norm = 1.0;
  line.m_previous_update_norm = 0.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.5);
}

TEST(Hypergradient, GoesOnFromSavedState) {
  Hypergradient whole({.initial = 0.5, .beta = 0.1});
  FakeLine line;
  line.m_has_previous = true;
  line.m_previous_slope = -0.3;
  whole.learning_rate(line);
  Hypergradient second({.initial = 0.5, .beta = 0.1});
  second.restore(whole.state());
  for (int t = 0; t < 5; ++t) EXPECT_EQ(second.learning_rate(line), whole.learning_rate(line));
  EXPECT_NE(whole.learning_rate(line), 0.5);
  EXPECT_THROW(second.restore({}), Error);
}

TEST(Hypergradient, NotANumberStaysOne) {
  Hypergradient tuner({.initial = 0.5, .beta = 0.1});
  FakeLine line;
  line.m_has_previous = true;
  line.m_gradient_norm = infinity;
  line.m_previous_slope = infinity;
  EXPECT_TRUE(std::isnan(tuner.learning_rate(line)));
}

TEST(Sharpness, IsSigmaOverTheLargestEigenvalue) {
  Sharpness tuner({.sigma = 3.0});
  FakeLine line;
  line.m_sharpness = 12.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.25);
  EXPECT_EQ(line.asked, (Asked{.sharpness = 1}));
  EXPECT_FALSE(tuner.sharpness_demand()->preconditioned);
  Sharpness preconditioned({.sigma = 38.0, .over = "preconditioned_hessian"});
  line.m_preconditioned_sharpness = 380.0;
  EXPECT_DOUBLE_EQ(preconditioned.learning_rate(line), 0.1);
  EXPECT_EQ(line.asked, (Asked{.sharpness = 1, .preconditioned_sharpness = 1}));
  EXPECT_TRUE(preconditioned.sharpness_demand()->preconditioned);
  EXPECT_FALSE(Constant({.learning_rate = 1.0}).sharpness_demand());
}

TEST(Sharpness, KeepsTheLastRateWhereNoEigenvalueIsPositive) {
  Sharpness tuner({.sigma = 2.0, .initial = 0.5});
  FakeLine line;
  line.m_sharpness = -1.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.5);
  EXPECT_EQ(line.warnings.size(), 1);
  line.m_sharpness = 8.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.25);
  line.m_sharpness = 0.0;
  Sharpness resumed({.sigma = 2.0});
  resumed.restore(tuner.state());
  EXPECT_EQ(resumed.learning_rate(line), 0.25);
  EXPECT_EQ(line.warnings.size(), 2);
  line.m_sharpness = std::nan("");
  EXPECT_TRUE(std::isnan(tuner.learning_rate(line)));
}

}  // namespace
}  // namespace onedge::tuner
