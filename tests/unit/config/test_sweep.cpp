// The cases of section sweep.
#include <string>
#include <vector>

#include "settings.hpp"

namespace onedge::config::test {
namespace {

/// "a.b=1 c.d=2" of every case.
std::vector<std::string> cases(std::string const& sweep, std::vector<std::string> const& overrides = {}) {
  auto deck = Deck::from_text("sweep:\n  " + sweep + "\n", "deck.yaml");
  for (auto const& assignment : overrides) deck.override_with(assignment);
  std::vector<std::string> found;
  for (auto const& one : deck.cases()) {
    std::string text;
    for (auto const& [path, value, location] : one) text += (text.empty() ? "" : " ") + path + "=" + value;
    found.push_back(text);
  }
  return found;
}

std::string refusal(std::string const& sweep) {
  try {
    cases(sweep);
  } catch (InputError const& error) {
    return error.what();
  }
  return "";
}

using Texts = std::vector<std::string>;

TEST(Sweep, ListsMultiplyInTheOrderOfTheDeck) {
  EXPECT_EQ(cases("{tuner.sigma: [1.0, 2], run.seed: [7, 8, 9]}"),
            (Texts{"tuner.sigma=1.0 run.seed=7", "tuner.sigma=1.0 run.seed=8", "tuner.sigma=1.0 run.seed=9",
                   "tuner.sigma=2 run.seed=7", "tuner.sigma=2 run.seed=8", "tuner.sigma=2 run.seed=9"}));
  EXPECT_EQ(cases("{model.hidden: [[8], [8, 8]], tuner.kind: cdat}"),
            (Texts{"model.hidden=[8] tuner.kind=cdat", "model.hidden=[8, 8] tuner.kind=cdat"}));
  EXPECT_TRUE(cases("{}").empty());
  EXPECT_TRUE(Deck::from_text("run: {steps: 1}", "d").cases().empty());
}

TEST(Sweep, Grids) {
  EXPECT_EQ(cases("{run.seed: {from: 0, to: 2}}"), (Texts{"run.seed=0", "run.seed=1", "run.seed=2"}));
  EXPECT_EQ(cases("{a.b: {from: 3, to: -3, by: -3}}"), (Texts{"a.b=3", "a.b=0", "a.b=-3"}));
  EXPECT_EQ(cases("{a.b: {from: 0, to: 5, by: 2}}"), (Texts{"a.b=0", "a.b=2", "a.b=4"}));
  EXPECT_EQ(cases("{batch.size: {from: 64, times: 4, count: 4}}"),
            (Texts{"batch.size=64", "batch.size=256", "batch.size=1024", "batch.size=4096"}));
  // Decimals as a person would write them, and the last one although rounding puts it beyond the end.
  auto const sigmas = cases("{tuner.sigma: {from: 0.4, to: 2.8, by: 0.2}}");
  ASSERT_EQ(sigmas.size(), 13U);
  EXPECT_EQ(sigmas[1], "tuner.sigma=0.6");
  EXPECT_EQ(sigmas[12], "tuner.sigma=2.8");
  auto const rates = cases("{tuner.learning_rate: {from: 5.0e-4, times: 2, count: 9}}");
  ASSERT_EQ(rates.size(), 9U);
  EXPECT_EQ(rates[1], "tuner.learning_rate=0.001");
  EXPECT_EQ(rates[8], "tuner.learning_rate=0.128");
}

TEST(Sweep, PartsFollowOneAnother) {
  EXPECT_EQ(cases("parts: {constant: {tuner: {kind: constant, learning_rate: [1, 2]}}, polyak: {tuner.kind: polyak}}\n"
                  "  run.seed: [3, 4]"),
            (Texts{"tuner.kind=constant tuner.learning_rate=1 run.seed=3",
                   "tuner.kind=constant tuner.learning_rate=1 run.seed=4",
                   "tuner.kind=constant tuner.learning_rate=2 run.seed=3",
                   "tuner.kind=constant tuner.learning_rate=2 run.seed=4", "tuner.kind=polyak run.seed=3",
                   "tuner.kind=polyak run.seed=4"}));
}

TEST(Sweep, CommandLineChangesIt) {
  EXPECT_EQ(cases("{tuner.sigma: [1, 2]}", {"sweep.tuner.sigma=[3]"}), (Texts{"tuner.sigma=3"}));
  EXPECT_EQ(cases("{tuner.sigma: [1]}", {"sweep.run.seed={from: 5, to: 6}"}),
            (Texts{"tuner.sigma=1 run.seed=5", "tuner.sigma=1 run.seed=6"}));
}

TEST(Sweep, ValuesGoWhereBindingFindsThem) {
  auto deck = Deck::from_text("tuner: {kind: polyak}\nsweep:\n  tuner: {kind: cdat, sigma: [1.5, 2.5]}\n", "deck.yaml");
  deck.apply(deck.cases().at(1));
  auto const settings = bind(deck);
  deck.check_all_known();
  EXPECT_EQ(settings.kind, "cdat");
  EXPECT_EQ(settings.sigma, 2.5);
  EXPECT_EQ(deck.resolved().find("sweep"), std::string::npos);
}

TEST(Sweep, WrongKeysAndValuesAreNamedWithTheirLine) {
  auto const complaint_of = [](std::string const& text, std::string const& override_text = "") -> std::string {
    try {
      auto deck = Deck::from_text(text, "deck.yaml");
      if (!override_text.empty()) deck.override_with(override_text);
      deck.apply(deck.cases().at(0));
      bind(deck);
      deck.check_all_known();
    } catch (InputError const& error) {
      return error.what();
    }
    return "";
  };
  std::string const key = complaint_of("run: {seed: 1}\nsweep:\n  tuner.sigmaa: [1.0]\n");
  EXPECT_NE(key.find("deck.yaml:3: tuner.sigmaa"), std::string::npos) << key;
  EXPECT_NE(key.find("sigma?"), std::string::npos) << key;
  std::string const value = complaint_of("sweep:\n  tuner.sigma:\n  - 1.0e\n");
  EXPECT_NE(value.find("deck.yaml:3: tuner.sigma: must be a number"), std::string::npos) << value;
  std::string const twice = complaint_of("sweep:\n  run.seed: [1, 2]\n", "run.seed=5");
  EXPECT_NE(twice.find("command line: run.seed: the sweep sets this key (deck.yaml:2)"), std::string::npos) << twice;
  std::string const inside = complaint_of("run: {seed: 1}\nsweep: {run.seed.more: [1]}\n");
  EXPECT_NE(inside.find("deck.yaml:2"), std::string::npos) << inside;
}

TEST(Sweep, Refusals) {
  for (auto const& [sweep, says] : std::vector<std::pair<std::string, std::string>>{
           {"{sigma: [1]}", "tuner.sigma"},
           {"{tuner.sigma: []}", "no value"},
           {"{tuner.sigma: }", "no value"},
           {"{tuner.sigma: {from: 1}}", "a grid is"},
           {"{tuner.sigma: {from: 1, to: 2, count: 3}}", "a grid is"},
           {"{tuner.sigma: {from: 1, to: 2, by: 0}}", "never reaches"},
           {"{tuner.sigma: {from: 1, to: 2, by: -1}}", "never reaches"},
           {"{tuner.sigma: {from: x, to: 2}}", "from must be a number, found 'x'"},
           {"{tuner.sigma: {from: 1, to: .inf}}", "to must be a number"},
           {"{tuner.sigma: {from: 1, to: 2, by: 1.0e-9}}", "more than"},
           {"{tuner.sigma: {from: 1, times: 2, count: 0}}", "count"},
           {"{tuner.sigma: {from: 1, times: 2, count: 2.5}}", "count"},
           {"{tuner.sigma: {from: 1, times: 10, count: 30}}", "too large"},
           {"{a.b: {from: 1, to: 1000}, a.c: {from: 1, to: 1000}}", "more than"},
           {"{run.seed: [1], run: {seed: [2]}}", "swept twice"},
           {"{run.seed: [1], parts: {x: {run.seed: 2}}}", "swept twice"},
           {"{parts: [1]}", "parts"},
           {"{parts: {}}", "parts"},
           {"{parts: {x: 1}}", "a part is a mapping"},
           {"{output.directory: [a, b]}", "cannot be swept"},
           {"{sweep.run.seed: [1]}", "cannot be swept"}}) {
    auto const message = refusal(sweep);
    EXPECT_NE(message.find(says), std::string::npos) << sweep << ": " << message;
    EXPECT_NE(message.find("deck.yaml:2"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace onedge::config::test
