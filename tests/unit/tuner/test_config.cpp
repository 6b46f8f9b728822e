// Section `tuner` of a deck: which tuner and which values it gives, what it refuses, and its key reference.
#include <onedge/core/error.hpp>
#include <onedge/tuner/tuner.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "fake_line.hpp"

namespace onedge::tuner {
namespace {

std::unique_ptr<Tuner> tuner_of(std::string const& text, std::int64_t steps = 100) {
  auto const deck = config::Deck::from_text("tuner: " + text, "test.yaml");
  auto const config = TunerConfig::bind(deck.root().section("tuner"));
  deck.check_all_known();
  return make_tuner(config, {steps});
}

double first_rate(std::string const& text) {
  FakeLine line;
  return tuner_of(text)->learning_rate(line);
}

TEST(TunerConfig, MakesEveryKindWithItsValues) {
  EXPECT_EQ(first_rate("{}"), 2.0);
  EXPECT_EQ(first_rate("{kind: constant, learning_rate: 0.125}"), 0.125);
  EXPECT_EQ(first_rate("{kind: cdat, sigma: 3.0, epsilon: 1.0, ema: 0.5}"), 1.5);
  EXPECT_EQ(first_rate("{kind: polyak, maximum: 100.0, minimum_loss: 0.25}"), 0.75);
  EXPECT_EQ(first_rate("{kind: hypergradient, initial: 0.5, beta: 0.1}"), 0.5);
  EXPECT_EQ(first_rate("{kind: linesearch, c: 0.0, increase: 0.0, decrease: 0.9, relative_decrease: 0.0, trials: 2}"),
            1.0);
  FakeLine line;
  line.m_step = 5;
  EXPECT_EQ(tuner_of("{kind: schedule, peak: 0.5, shape: constant, warmup: 0.1, horizon: 50, final: 0.25}")
                ->learning_rate(line),
            0.25);
}

TEST(TunerConfig, OptionsReachTheRule) {
  FakeLine line;
  tuner_of("{kind: cdat, curvature: gauss_newton}")->learning_rate(line);
  EXPECT_EQ(line.asked.gauss_newton, 1);
  FakeLine parabolic;
  tuner_of("{kind: cdat, curvature: parabolic, probe: 0.25}")->learning_rate(parabolic);
  EXPECT_EQ(parabolic.trials, std::vector<double>{0.25});
  EXPECT_FALSE(([] {
    auto tuner = tuner_of("{kind: cdat, every: 5}");
    FakeLine first;
    tuner->learning_rate(first);
    return tuner->needs_curvature(4);
  }()));
}

TEST(TunerConfig, RefusesWhatIsWrong) {
  for (auto const* text : {"{kind: cdatt}",
                           "{kind: constant}",
                           "{kind: constant, learning_rate: -1.0}",
                           "{kind: constant, sigma: 2.0}",
                           "{kind: schedule}",
                           "{kind: schedule, peak: 1.0, shape: square}",
                           "{kind: schedule, peak: 1.0, warmup: 1.5}",
                           "{kind: schedule, peak: 1.0, warmup: 200}",
                           "{kind: schedule, peak: 1.0, unit: days}",
                           "{kind: linesearch, decrease: 1.0}",
                           "{kind: linesearch, decrease: 0.0}",
                           "{kind: linesearch, increase: 0.5}",
                           "{kind: linesearch, trials: -1}",
                           "{kind: cdat, ema: 1.0}",
                           "{kind: cdat, every: 0}",
                           "{kind: cdat, curvature: none}",
                           "{kind: cdat, probe: 0.0}",
                           "{kind: cdat, sigma: two}",
                           "{kind: polyak, maximum: -1.0}",
                           "{kind: hypergradient}",
                           "{kind: hypergradient, initial: 0.1, beta: -1.0}"}) {
    EXPECT_THROW(tuner_of(text), InputError) << text;
  }
}

TEST(TunerConfig, DocumentsEveryKind) {
  auto const deck = config::Deck::for_documentation();
  TunerConfig::bind(deck.root().section("tuner"));
  std::set<std::string> rows;
  for (auto const& key : deck.keys()) rows.insert(key.path + ", " + key.condition);
  for (auto const* row : {"tuner.kind, ", "tuner.learning_rate, kind: constant", "tuner.peak, kind: schedule",
                          "tuner.trials, kind: linesearch", "tuner.sigma, kind: cdat", "tuner.every, kind: cdat",
                          "tuner.maximum, kind: polyak", "tuner.initial, kind: hypergradient"}) {
    EXPECT_EQ(rows.count(row), 1u) << row;
  }
}

TEST(TunerConfig, AnUnboundConfigurationIsAnError) { EXPECT_THROW(make_tuner(TunerConfig{}, {10}), Error); }

}  // namespace
}  // namespace onedge::tuner
