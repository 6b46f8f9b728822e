// The backtracking linesearch: the criterion, its first guess, its limits, and what it asks the line for.
#include <onedge/core/error.hpp>
#include <onedge/tuner/linesearch.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fake_line.hpp"

namespace onedge::tuner {
namespace {

/// φ(η) = 1 − η + 2η²: Armijo's criterion with c holds for η ≤ (1 − c)/2.
void set_parabola(FakeLine& line) {
  line.m_loss = 1.0;
  line.m_slope = -1.0;
  line.m_curvature = 4.0;
}

TEST(Linesearch, TakesTheLargestPowerThatSatisfiesTheCriterion) {
  Linesearch tuner({.c = 0.1, .decrease = 0.8});
  FakeLine line;
  set_parabola(line);
  double expected = 1.0;
  while (expected > 0.45) expected *= 0.8;
  EXPECT_DOUBLE_EQ(tuner.learning_rate(line), expected);  // 0.8⁴ = 0.4096
  EXPECT_EQ(line.asked, (Asked{.loss = 1, .loss_at = 5, .slope = 1}));
  EXPECT_EQ(line.trials.front(), 1.0);
  EXPECT_EQ(line.trials.back(), expected);
  EXPECT_FALSE(tuner.needs_curvature(0));
}

TEST(Linesearch, StartsFromTheLastRateTimesIncreaseButAtMostOne) {
  Linesearch tuner({.c = 0.1, .increase = 2.0, .decrease = 0.8});
  FakeLine line;
  set_parabola(line);
  double const first = tuner.learning_rate(line);
  line.trials.clear();
  tuner.learning_rate(line);
  EXPECT_EQ(line.trials.front(), 2.0 * first);
  Linesearch large({.c = 0.1, .increase = 4.0, .decrease = 0.8});
  large.learning_rate(line);
  line.trials.clear();
  large.learning_rate(line);
  EXPECT_EQ(line.trials.front(), 1.0);
}

TEST(Linesearch, InfiniteIncreaseAlwaysStartsFromOne) {
  Linesearch tuner({.c = 0.1, .increase = 0.0, .decrease = 0.5});
  FakeLine line;
  set_parabola(line);
  line.m_curvature = 400.0;
  for (int t = 0; t < 3; ++t) {
    line.trials.clear();
    tuner.learning_rate(line);
    EXPECT_EQ(line.trials.front(), 1.0);
  }
}

TEST(Linesearch, ATieIsAccepted) {
  Linesearch tuner({.c = 0.0, .decrease = 0.5});
  FakeLine line;
  line.m_phi = [](double) { return 1.0; };
  EXPECT_EQ(tuner.learning_rate(line), 1.0);
  EXPECT_EQ(line.asked.loss_at, 1);
}

TEST(Linesearch, TheRelativeToleranceLoosensTheCriterion) {
  FakeLine line;
  line.m_loss = 2.0;
  line.m_phi = [](double x) { return x > 0.3 ? 2.0 + 1e-3 : 2.0; };
  EXPECT_EQ(Linesearch({.c = 0.0, .decrease = 0.5, .relative_decrease = 0.0}).learning_rate(line), 0.25);
  EXPECT_EQ(Linesearch({.c = 0.0, .decrease = 0.5, .relative_decrease = 1e-3}).learning_rate(line), 1.0);
}

TEST(Linesearch, AnAscentDirectionGivesZeroWithoutATrialAndIsForgotten) {
  Linesearch tuner({.c = 0.1, .increase = 2.0, .decrease = 0.8});
  FakeLine line;
  set_parabola(line);
  double const first = tuner.learning_rate(line);
  for (double const slope : {0.0, 1.0}) {
    line.m_slope = slope;
    line.asked = {};
    EXPECT_EQ(tuner.learning_rate(line), 0.0);
    EXPECT_EQ(line.asked.loss_at, 0);
  }
  line.m_slope = -1.0;
  line.trials.clear();
  EXPECT_GT(tuner.learning_rate(line), 0.0);
  EXPECT_EQ(line.trials.front(), 2.0 * first);
}

TEST(Linesearch, RejectsTrialsThatAreNotFinite) {
  FakeLine line;
  line.m_phi = [](double x) {
    if (x > 0.6) return std::nan("");
    if (x > 0.3) return std::numeric_limits<double>::infinity();
    return 0.0;
  };
  EXPECT_EQ(Linesearch({.decrease = 0.5}).learning_rate(line), 0.25);
  EXPECT_EQ(line.asked.loss_at, 3);
}

TEST(Linesearch, MiniBatchKeepsTheLastOfThirtyTrials) {
  Linesearch tuner({.decrease = 0.8});
  FakeLine line;
  line.m_full_batch = false;
  line.m_phi = [](double) { return 2.0; };
  EXPECT_NEAR(tuner.learning_rate(line), std::pow(0.8, 29), 1e-15);
  EXPECT_EQ(line.asked.loss_at, 30);
  EXPECT_TRUE(line.warnings.empty());
}

TEST(Linesearch, AGivenLimitHoldsInFullBatchToo) {
  FakeLine line;
  line.m_phi = [](double) { return 2.0; };
  EXPECT_EQ(Linesearch({.decrease = 0.5, .trials = 3}).learning_rate(line), 0.25);
  EXPECT_EQ(line.asked.loss_at, 3);
}

TEST(Linesearch, FullBatchGoesBeyondThirtyTrials) {
  FakeLine line;
  line.m_phi = [](double x) { return x > 1e-9 ? 2.0 : 0.0; };
  EXPECT_LE(Linesearch({.decrease = 0.8}).learning_rate(line), 1e-9);
  EXPECT_GT(line.asked.loss_at, 30);
}

TEST(Linesearch, EndsWithZeroAndAWarningWhenNothingSatisfies) {
  for (bool const full_batch : {true, false}) {
    FakeLine line;
    line.m_full_batch = full_batch;
    line.m_phi = [](double) { return 2.0; };
    EXPECT_EQ(Linesearch({.decrease = 0.5, .trials = 0}).learning_rate(line), 0.0);
    EXPECT_EQ(line.warnings.size(), 1u);
  }
}

/// A loss in floats: below a millionth the trial is w itself, and φ(η) = φ(0) up to the rounding that c·η·slope drowns
/// in.
TEST(Linesearch, TrialsThatDoNotMoveTheWeightsSatisfyNothing) {
  for (bool const full_batch : {true, false}) {
    FakeLine line;
    set_parabola(line);
    line.m_full_batch = full_batch;
    line.m_smallest_learning_rate = 1e-6;
    Linesearch tuner({.c = 1e-4, .increase = 2.0, .decrease = 0.5, .trials = full_batch ? 0 : 30});
    double const first = tuner.learning_rate(line);
    EXPECT_EQ(first, 0.25);
    line.m_phi = [](double x) { return x < 1e-6 ? 1.0 - 1e-3 : 2.0; };
    line.trials.clear();
    for (int t = 0; t < 3; ++t) EXPECT_EQ(tuner.learning_rate(line), 0.0);
    EXPECT_EQ(line.warnings.size(), 3u);
    for (double const trial : line.trials) EXPECT_GE(trial, 1e-6);
    // The previous η is kept.
    set_parabola(line);
    line.m_phi = [](double) { return 0.0; };
    line.trials.clear();
    EXPECT_EQ(tuner.learning_rate(line), 2.0 * first);
  }
}

TEST(Linesearch, ARateThatIsTooSmallToMoveTheWeightsIsNoStart) {
  FakeLine line;
  set_parabola(line);
  line.m_smallest_learning_rate = 1e-6;
  Linesearch tuner({.increase = 4.0, .decrease = 0.5});
  tuner.restore({{"previous", 1e-12}});
  EXPECT_EQ(tuner.learning_rate(line), 0.25);
  EXPECT_EQ(line.trials.front(), 1.0);
}

TEST(Linesearch, ALineThatIsNotFiniteGivesNotANumber) {
  for (double const bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    FakeLine loss, slope;
    loss.m_loss = bad;
    slope.m_slope = -bad;
    EXPECT_TRUE(std::isnan(Linesearch({}).learning_rate(loss)));
    EXPECT_TRUE(std::isnan(Linesearch({}).learning_rate(slope)));
    EXPECT_EQ(loss.asked.loss_at + slope.asked.loss_at, 0);
  }
}

TEST(Linesearch, GoesOnFromSavedState) {
  Linesearch whole({.increase = 1.1, .decrease = 0.8});
  FakeLine line;
  set_parabola(line);
  whole.learning_rate(line);
  Linesearch second({.increase = 1.1, .decrease = 0.8});
  second.restore(whole.state());
  for (int t = 0; t < 5; ++t) {
    line.m_curvature += 3.0;
    EXPECT_EQ(second.learning_rate(line), whole.learning_rate(line));
  }
  EXPECT_THROW(second.restore({}), Error);
}

}  // namespace
}  // namespace onedge::tuner
