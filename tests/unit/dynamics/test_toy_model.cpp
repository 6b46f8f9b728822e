// Figures 4, 9, 10 and 11: what a simulation of the maps in double precision gives. The values come from a separate
// program (Python).
#include <onedge/core/error.hpp>
#include <onedge/dynamics/toy_model.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using onedge::dynamics::State;
using onedge::dynamics::ToyModel;

/// The states at t = 0 … steps.
std::vector<State> simulate(ToyModel const& model, std::size_t steps) {
  std::vector<State> states{model.start};
  while (states.size() <= steps) states.push_back(model.next(states.back()));
  return states;
}

ToyModel constant_rate() { return {"a", "constant", 3e-2, 3e-1, 0, 0, 0, {1, 1.9, 0.1, 0}}; }
ToyModel below_the_edge() { return {"a", "fixed", 1, 0.5, 0, -0.1, 0, {1, 1.9, 0.1, 0}}; }
ToyModel cdat(double sigma) { return {"b", "cdat", 5e-2, 1e-1, 0.1, 0, sigma, {0.05, 18, 4, 4}}; }

TEST(ModelA, ConstantRateOscillatesAboutTheEdge) {
  auto const states = simulate(constant_rate(), 99);
  std::vector<std::size_t> changes;
  double largest = 0;
  for (std::size_t t = 0; t < states.size(); ++t) {
    largest = std::max(largest, std::abs(states[t].y()));
    if (t > 0 && states[t].y() * states[t - 1].y() < 0) changes.push_back(t - 1);
  }
  EXPECT_EQ(changes, (std::vector<std::size_t>{7, 21, 36, 53, 76}));
  EXPECT_NEAR(largest, 0.667, 5e-4);
  EXPECT_NEAR(states[10].sharpness, 2.0453683815, 1e-10);
  EXPECT_NEAR(states[25].sharpness, 1.8044878449, 1e-10);
}

TEST(ModelA, ConstantRateSpiralsOutAndOverflows) {
  // About p = a/b, y = 0 the map is [[1, 2a/b], [−bη², 1]], and η²b(p − a/b)² + 2(a/b)y² grows by 1 + 2aη² per step.
  auto const model = constant_rate();
  auto const size = [](State const& s) { return 0.3 * std::pow(s.p - 0.1, 2) + 0.2 * std::pow(s.y(), 2); };
  State state{1, 2 + 1e-9, 0.1, 0};
  double const first = size(state);
  for (int t = 0; t < 100; ++t) state = model.next(state);
  EXPECT_NEAR(size(state) / first, std::pow(1.06, 100), 1e-3 * std::pow(1.06, 100));
  auto const states = simulate(model, 125);
  EXPECT_TRUE(std::isfinite(states[105].p));
  EXPECT_FALSE(std::isfinite(states[125].p));
}

TEST(ModelA, FixedBelowTheEdgeTheSharpnessGrowsForGood) {
  auto const states = simulate(below_the_edge(), 199);
  for (std::size_t t = 0; t < 199; ++t) {
    EXPECT_NEAR(states[t + 1].p / states[t].p, 0.81, 1e-12);
    EXPECT_NEAR(states[t].y(), -0.1, 1e-12);
    EXPECT_LT(states[t + 1].learning_rate, states[t].learning_rate);
  }
  EXPECT_NEAR(states[10].sharpness, 6.57860961, 1e-7);
  EXPECT_NEAR(states[100].sharpness, 19.67880077, 1e-7);
  EXPECT_NEAR(states[199].sharpness, 27.64239478, 1e-7);
}

TEST(ModelA, FormOfThePaper) {
  // eq. 5: y' = η'[η(a − bp)] + (η'/η) y + 2(η'/η − 1), p' = (1 + y)² p, for any η'.
  for (auto const& model : {constant_rate(), below_the_edge(), cdat(1.9)}) {
    State const now{0.3, 5.0, 0.7, 1.1};
    State const next = model.next(now);
    double const ratio = next.learning_rate / now.learning_rate;
    double const growth = now.learning_rate * (model.a - model.b * now.p);
    EXPECT_NEAR(next.y(), next.learning_rate * growth + ratio * now.y() + 2 * (ratio - 1), 1e-12);
    EXPECT_NEAR(next.p, std::pow(1 + now.y(), 2) * now.p, 1e-12);
  }
}

TEST(ModelB, OnTheEdgeTheSharpnessSettles) {
  auto const states = simulate(cdat(2), 20000);
  EXPECT_NEAR(states[100].sharpness, 18.466198252, 1e-6);
  EXPECT_NEAR(states[1000].sharpness, 22.017338217, 1e-6);
  EXPECT_NEAR(states[10000].sharpness, 30.264932102, 1e-6);
  EXPECT_NEAR(states[20000].sharpness, 30.458563643, 1e-6);
  EXPECT_NEAR(states[20000].p, 0.5, 1e-3);  // a/b
  EXPECT_GT(states[20000].y(), 0);
  EXPECT_LT(states[20000].y(), 1e-6);
  EXPECT_LT(states[20000].y(), states[1000].y());
}

TEST(ModelB, BelowTheEdgeTheSharpnessGrows) {
  auto const states = simulate(cdat(1.9), 20000);
  EXPECT_NEAR(states[100].sharpness, 18.515371645, 1e-6);
  EXPECT_NEAR(states[1000].sharpness, 22.846146881, 1e-6);
  EXPECT_NEAR(states[10000].sharpness, 48.134047475, 1e-6);
  EXPECT_NEAR(states[20000].sharpness, 65.676308939, 1e-6);
  EXPECT_NEAR(states[1000].y(), -0.00891404, 1e-7);
  // y → −ην from below, p → 0 faster than g.
  for (std::size_t const t : {1000, 10000, 20000}) EXPECT_LT(states[t].y(), -0.1 * states[t].learning_rate);
  EXPECT_NEAR(states[20000].y(), -0.1 * states[20000].learning_rate, 3e-5);
  EXPECT_LT(states[20000].p, 1e-80);
  EXPECT_LT(states[20000].p / states[20000].g, 1e-4);
}

TEST(ModelB, AboveTheEdgeItDiverges) {
  auto const states = simulate(cdat(2.1), 111);
  EXPECT_LT(std::abs(states[90].y()), 1);
  EXPECT_GT(std::abs(states[111].y()), 100);
}

TEST(ModelB, WithoutTheLagTheEdgeIsNoPlaceToStay) {
  // η' from λ', p', g': the sharpness goes on growing.
  auto const model = cdat(2);
  State state = model.start;
  for (int t = 0; t < 20000; ++t) {
    state = model.next(state);
    state.learning_rate = model.next(state).learning_rate;
  }
  EXPECT_FALSE(std::abs(state.p - 0.5) < 0.1);
}

TEST(Deck, KeysOfTheOtherModelAndRuleAreUnknown) {
  using onedge::config::Deck;
  auto const bind = [](std::string const& text) {
    auto const deck = Deck::from_text(text, "toy.yaml");
    auto const model = ToyModel::bind(deck.root().section("dynamics"));
    deck.check_all_known();
    return model;
  };
  std::string const a = "dynamics: {a: 1, b: 2, learning_rate: 3, sharpness: 4, p: 5";
  auto const model = bind(a + ", kind: b, rule: cdat, g: 6, nu: 7, sigma: 8}");
  EXPECT_EQ(model.start.g, 6);
  EXPECT_EQ(model.nu, 7);
  EXPECT_EQ(model.sigma, 8);
  EXPECT_EQ(bind(a + ", rule: fixed, offset: -0.5}").offset, -0.5);
  for (auto const* const rest : {", nu: 1}", ", sigma: 2}", ", rule: cdat, offset: 1}", ", kind: b}", ", rule: c}"}) {
    EXPECT_THROW(bind(a + rest), onedge::InputError) << rest;
  }
  EXPECT_THROW(bind("dynamics: {a: 1}"), onedge::InputError);
}

}  // namespace
