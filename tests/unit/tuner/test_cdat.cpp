// CDAT: the formula, its averages, held curvatures, the parabolic estimate, edge cases, and what it asks the line for.
#include <onedge/core/error.hpp>
#include <onedge/tuner/cdat.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fake_line.hpp"

namespace onedge::tuner {
namespace {

TEST(Cdat, IsItsFormulaAndAsksForOneSlopeAndOneCurvature) {
  Cdat tuner({.sigma = 1.5, .epsilon = 0.5});
  FakeLine line;
  line.m_slope = -3.0;
  line.m_curvature = 4.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 1.5 * 3.0 / 4.5);
  EXPECT_EQ(line.asked, (Asked{.slope = 1, .curvature = 1}));
  EXPECT_TRUE(tuner.needs_curvature(1));
}

TEST(Cdat, TakesTheMagnitudeOfTheCurvature) {
  Cdat tuner({.sigma = 2.0});
  FakeLine line;
  line.m_slope = -3.0;
  line.m_curvature = -4.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 1.5);
}

TEST(Cdat, GaussNewtonAsksForItsOwnCurvature) {
  Cdat tuner({.sigma = 2.0, .curvature = "gauss_newton"});
  FakeLine line;
  line.m_gauss_newton = 8.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.25);
  EXPECT_EQ(line.asked, (Asked{.slope = 1, .gauss_newton = 1}));
  EXPECT_TRUE(tuner.needs_curvature(0));
}

TEST(Cdat, ParabolicIsExactOnAParabolaAndAsksForOneMoreLoss) {
  Cdat tuner({.sigma = 2.0, .curvature = "parabolic", .probe = 0.5});
  FakeLine line;
  line.m_curvature = 16.0;
  line.m_update_norm = 2.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.125);
  EXPECT_EQ(line.asked, (Asked{.loss = 1, .loss_at = 1, .slope = 2, .update_norm = 1}));
  EXPECT_EQ(line.trials, std::vector<double>{0.25});
  EXPECT_FALSE(tuner.needs_curvature(0));
}

TEST(Cdat, TheParabolicErrorIsOfFirstOrder) {
  FakeLine line;
  line.m_loss = 1.0;
  line.m_slope = -1.0;
  line.m_phi = [](double x) { return std::exp(-x); };  // φ'' = 1
  double const coarse = parabolic_curvature(line, 1e-2) - 1.0;
  double const fine = parabolic_curvature(line, 5e-3) - 1.0;
  EXPECT_NEAR(coarse / fine, 2.0, 0.02);
  EXPECT_LT(std::abs(coarse), 1e-2);
}

TEST(Cdat, AZeroUpdateGivesZeroWithoutAnExtraLoss) {
  Cdat tuner({.curvature = "parabolic"});
  FakeLine line;
  line.m_slope = 0.0;
  line.m_update_norm = 0.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  EXPECT_EQ(line.asked.loss_at, 0);
  EXPECT_TRUE(line.warnings.empty());
}

TEST(Cdat, AnAscentDirectionGivesZero) {
  Cdat tuner({});
  FakeLine line;
  for (double const slope : {0.0, 2.0}) {
    line.m_slope = slope;
    EXPECT_EQ(tuner.learning_rate(line), 0.0);
  }
  line.m_curvature = 0.0;  // 0/0
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  EXPECT_TRUE(line.warnings.empty());
}

TEST(Cdat, NoCurvatureGivesZeroAndAWarning) {
  Cdat tuner({});
  FakeLine line;
  line.m_curvature = 0.0;
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  EXPECT_EQ(line.warnings.size(), 1u);
  Cdat regularised({.sigma = 2.0, .epsilon = 0.5});
  EXPECT_EQ(regularised.learning_rate(line), 4.0);
  EXPECT_EQ(line.warnings.size(), 1u);
}

TEST(Cdat, AveragesIncludeThisStepAndTheirStartUpBiasCancels) {
  double const beta = 0.9;
  Cdat tuner({.sigma = 2.0, .epsilon = 0.1, .ema = beta});
  FakeLine line;
  double n = 0.0, d = 0.0;
  for (int t = 0; t < 8; ++t) {
    line.m_step = t;
    line.m_slope = std::sin(2.0 * t) - 0.5;
    line.m_curvature = 3.0 * std::cos(1.3 * t);
    n = (1.0 - beta) * std::max(-line.m_slope, 0.0) + beta * n;
    d = (1.0 - beta) * (std::abs(line.m_curvature) + 0.1) + beta * d;
    double const learning_rate = tuner.learning_rate(line);
    EXPECT_NEAR(learning_rate, 2.0 * n / d, 1e-14 * learning_rate);
    if (t == 0) {
      EXPECT_NEAR(learning_rate, 2.0 * 0.5 / 3.1, 1e-14);
    }
  }
}

TEST(Cdat, AnAveragedAscentStepStillHasARate) {
  Cdat tuner({.sigma = 2.0, .ema = 0.5});
  FakeLine line;
  EXPECT_EQ(tuner.learning_rate(line), 2.0);
  line.m_slope = 1.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 2.0 * 0.25 / 0.75);
}

TEST(Cdat, EveryHoldsTheCurvatureAndRenewsTheSlope) {
  Cdat tuner({.sigma = 2.0, .every = 3});
  FakeLine line;
  double held = 0.0;
  for (int t = 0; t < 7; ++t) {
    line.m_step = t;
    line.m_slope = -1.0 - t;
    line.m_curvature = 2.0 + t * t;
    if (t % 3 == 0) held = line.m_curvature;
    EXPECT_EQ(tuner.needs_curvature(t), t % 3 == 0);
    EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 2.0 * (1.0 + t) / held);
  }
  EXPECT_EQ(line.asked, (Asked{.slope = 7, .curvature = 3}));
}

TEST(Cdat, EveryWithAveragesWeighsTheHeldCurvatureAtEveryStep) {
  Cdat tuner({.sigma = 1.0, .ema = 0.5, .every = 2});
  FakeLine line;
  line.m_curvature = 4.0;
  tuner.learning_rate(line);
  line.m_step = 1;
  line.m_curvature = 100.0;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), 0.25);  // ñ = 0.75, d̃ = 0.75 · 4
  EXPECT_EQ(line.asked.curvature, 1);
}

TEST(Cdat, EveryBegunBetweenEvaluationsEvaluatesAtOnce) {
  Cdat tuner({.every = 10});
  FakeLine line;
  line.m_step = 7;
  EXPECT_TRUE(tuner.needs_curvature(7));
  EXPECT_EQ(tuner.learning_rate(line), 2.0);
  EXPECT_FALSE(tuner.needs_curvature(8));
}

TEST(Cdat, GoesOnFromSavedState) {
  Cdat::Options const options{.sigma = 2.0, .epsilon = 0.1, .ema = 0.9, .every = 4};
  Cdat whole(options);
  FakeLine line;
  auto const ask = [&line](Cdat& tuner, int t) {
    line.m_step = t;
    line.m_slope = std::sin(2.0 * t) - 0.5;
    line.m_curvature = 3.0 * std::cos(1.3 * t);
    return tuner.learning_rate(line);
  };
  for (int t = 0; t < 6; ++t) ask(whole, t);
  Cdat second(options);
  second.restore(whole.state());
  for (int t = 6; t < 15; ++t) {
    EXPECT_EQ(second.needs_curvature(t), whole.needs_curvature(t));
    EXPECT_EQ(ask(second, t), ask(whole, t));
  }
  EXPECT_THROW(second.restore({{"has_curvature", 1.0}}), Error);
}

TEST(Cdat, NotANumberStaysOne) {
  FakeLine slope, curvature;
  slope.m_slope = std::nan("");
  curvature.m_curvature = std::nan("");
  EXPECT_TRUE(std::isnan(Cdat({}).learning_rate(slope)));
  EXPECT_TRUE(std::isnan(Cdat({}).learning_rate(curvature)));
}

TEST(Cdat, AProbeThatDoesNotMoveTheWeightsTellsNothing) {
  Cdat tuner({.sigma = 2.0, .epsilon = 0.5, .ema = 0.5, .curvature = "parabolic", .probe = 0.01});
  FakeLine line;
  double const before = tuner.learning_rate(line);
  auto const state = tuner.state();
  line.m_update_norm = 2.0;
  line.m_smallest_learning_rate = 0.0051;  // 0.01 / 2 is below
  line.asked = {};
  EXPECT_EQ(tuner.learning_rate(line), 0.0);
  EXPECT_EQ(line.asked.loss_at, 0);
  EXPECT_EQ(line.warnings.size(), 1u);
  EXPECT_EQ(tuner.state(), state);
  line.m_smallest_learning_rate = 0.0049;
  EXPECT_GT(tuner.learning_rate(line), 0.0);
  EXPECT_GT(before, 0.0);
  Cdat exact({.curvature = "hessian"});
  line.m_smallest_learning_rate = 1.0;
  EXPECT_GT(exact.learning_rate(line), 0.0);
}

}  // namespace
}  // namespace onedge::tuner
