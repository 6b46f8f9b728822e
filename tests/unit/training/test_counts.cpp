// What a step costs: losses, gradients and curvatures that each tuner triggers through the real line.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "real_line.hpp"

namespace onedge::training::test {
namespace {

constexpr std::int64_t steps = 7;
constexpr char const* const model = "{hidden: [5, 4], activation: tanh}";
constexpr char const* const loss = "{kind: cross_entropy, weight_decay: 0.001}";

/// The counts of each of the steps.
std::vector<objective::Counts> spent(std::string const& optimizer, std::string const& tuner, std::size_t micro_batch) {
  RealObjective objective(model, loss, micro_batch);
  RealSteps run(objective, optimizer, tuner, steps);
  auto weights = objective.initial();
  std::vector<objective::Counts> result;
  for (std::int64_t t = 0; t < steps; ++t) {
    auto const before = objective->counts();
    weights = run.next(run.step(weights));
    auto const& after = objective->counts();
    result.push_back({after.losses - before.losses, after.gradients - before.gradients,
                      after.curvatures - before.curvatures, after.products - before.products});
  }
  return result;
}

/// Extra losses and curvatures of step t, with every optimizer, on kept planes and with micro-batches.
template <class Expected>
void expect_spent(std::string const& tuner, Expected const& expected) {
  for (auto const* optimizer : {"{kind: gd}", "{kind: momentum}", "{kind: rmsprop}", "{kind: adam}"}) {
    for (std::size_t const micro_batch : {std::size_t{0}, RealObjective::block}) {
      SCOPED_TRACE(tuner + " " + optimizer + " micro-batch " + std::to_string(micro_batch));
      auto const counts = spent(optimizer, tuner, micro_batch);
      for (std::int64_t t = 0; t < steps; ++t) {
        auto const& step = counts.at(static_cast<std::size_t>(t));
        objective::Counts const wanted = expected(t);
        EXPECT_EQ(step.gradients, 1) << "step " << t;
        EXPECT_EQ(step.losses, wanted.losses) << "step " << t;
        EXPECT_EQ(step.curvatures, wanted.curvatures) << "step " << t;
        EXPECT_EQ(step.products, 0) << "step " << t;
      }
    }
  }
}

objective::Counts nothing(std::int64_t) { return {}; }
objective::Counts one_curvature(std::int64_t) { return {0, 0, 1, 0}; }
objective::Counts one_loss(std::int64_t) { return {1, 0, 0, 0}; }

TEST(Line, KnowsBelowWhichRateNoWeightMoves) {
  RealObjective objective(model, loss);
  RealSteps run(objective, "{kind: gd}", "{kind: constant, learning_rate: 0.01}", steps);
  auto const weights = objective.initial();
  run.step(weights);
  double sum = 0;
  for (double const w : weights) sum += w * w;
  double const smallest = run.line().smallest_learning_rate();
  double const epsilon = std::numeric_limits<double>::epsilon();
  EXPECT_NEAR(smallest * run.line().update_norm(), epsilon * std::sqrt(sum), 1e-10 * epsilon * std::sqrt(sum));
  EXPECT_NE(run.next(smallest), weights);  // the bound of the norms is no bound for every weight
  EXPECT_EQ(run.next(1e-9 * smallest), run.next(0.0));
}

TEST(Counts, AConstantRateAndASchedulePayForNothing) {
  expect_spent("{kind: constant, learning_rate: 0.01}", nothing);
  expect_spent("{kind: schedule, peak: 0.01, shape: cosine}", nothing);
}

TEST(Counts, PolyakAndHypergradientPayForNothing) {
  expect_spent("{kind: polyak, maximum: 0.01}", nothing);
  expect_spent("{kind: hypergradient, initial: 0.01, beta: 0.1}", nothing);
}

TEST(Counts, CdatPaysForOneCurvature) {
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0}", one_curvature);
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0, ema: 0.9}", one_curvature);
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0, curvature: gauss_newton}", one_curvature);
}

TEST(Counts, ParabolicCdatPaysForOneLoss) {
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0, curvature: parabolic}", one_loss);
}

TEST(Counts, CdatEveryThirdStepPaysEveryThirdStep) {
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0, every: 3}", [](std::int64_t t) {
    return t % 3 == 0 ? objective::Counts{0, 0, 1, 0} : objective::Counts{};
  });
  expect_spent("{kind: cdat, sigma: 1.0, epsilon: 1.0, every: 3, curvature: parabolic}", [](std::int64_t t) {
    return t % 3 == 0 ? objective::Counts{1, 0, 0, 0} : objective::Counts{};
  });
}

TEST(Counts, LinesearchPaysForItsTrials) {
  // A condition that cannot hold (half a million times the slope) takes all trials, one that always holds takes one.
  expect_spent("{kind: linesearch, c: 5.0e+5, trials: 4}", [](std::int64_t) { return objective::Counts{4, 0, 0, 0}; });
  expect_spent("{kind: linesearch, c: 0.0, relative_decrease: 1.0e+9}", one_loss);
}

TEST(Line, ComputesWhatIsAskedOnceAndReturnsToItsPoint) {
  RealObjective objective(model, loss, RealObjective::block);
  RealSteps run(objective, "{kind: gd}", "{kind: constant, learning_rate: 0.1}", steps);
  run.step(objective.initial());
  auto& line = run.line();
  EXPECT_FALSE(line.knows_curvature());
  double const curvature = line.curvature();
  EXPECT_TRUE(line.knows_curvature());
  EXPECT_EQ(line.known_curvature(), curvature);
  EXPECT_EQ(line.curvature(), curvature);
  EXPECT_EQ(objective->counts().curvatures, 1);
  // f(w + ηu) to second order in η: the error falls with η³.
  auto const error = [&](double eta) {
    return std::abs(line.loss_at(eta) - line.loss() - eta * line.slope() - 0.5 * eta * eta * curvature);
  };
  double const order = std::log2(error(0.002) / error(0.001));
  EXPECT_NEAR(order, 3.0, 0.1);
  EXPECT_EQ(objective->counts().losses, 2);
  // The trials moved the objective's point; curvatures are again at w.
  double const gauss_newton = line.gauss_newton_curvature();
  RealSteps other(objective, "{kind: gd}", "{kind: constant, learning_rate: 0.1}", steps);
  other.step(objective.initial());
  EXPECT_EQ(other.line().gauss_newton_curvature(), gauss_newton);
}

}  // namespace
}  // namespace onedge::training::test
