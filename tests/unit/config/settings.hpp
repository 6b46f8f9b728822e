#pragma once
// A small deck with all that a binding can do.
#include <onedge/config/deck.hpp>
#include <onedge/core/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace onedge::config::test {

struct Settings {
  std::string name = "unnamed";
  std::int64_t seed = 0;
  std::int64_t steps = 300;
  std::int64_t micro_batch = 0;
  bool profile = false;
  std::vector<std::int64_t> hidden = {256, 256};
  std::vector<double> rates = {0.5};
  std::string kind = "cdat";
  double sigma = 2.0;
  double learning_rate = 1e-3;
  double loss_above = std::nan("");
  std::int64_t every = 10;
};

inline Settings bind(Deck const& deck) {
  Settings s;
  auto run = deck.root().section("run");
  run.bind("name", s.name, "name of the run");
  run.bind("seed", s.seed, "seed");
  run.bind("steps", s.steps, "steps", at_least_one);
  run.bind_or_word("micro_batch", s.micro_batch, "auto", 0, "samples at a time", at_least_one);
  run.bind("profile", s.profile, "print timings");
  run.section("stop").bind_optional("loss_above", s.loss_above, "end when the loss exceeds it");
  auto model = deck.root().section("model");
  model.bind("hidden", s.hidden, "widths", at_least_one);
  model.bind("rates", s.rates, "rates", unit_interval_open_above);
  auto tuner = deck.root().section("tuner");
  tuner.choose("kind", s.kind, {"constant", "cdat", "polyak"}, "the rule");
  if (s.kind == "cdat" || tuner.documenting()) {
    tuner.when("kind: cdat").bind("sigma", s.sigma, "scaling", positive);
  }
  if (s.kind == "constant" || tuner.documenting()) {
    tuner.when("kind: constant").require("learning_rate", s.learning_rate, "the rate", positive);
  }
  deck.root().section("measure").section("sharpness").bind("every", s.every, "cadence");
  deck.root().section("sweep").free_form();
  return s;
}

inline Settings read(std::string const& text, std::vector<std::string> const& overrides = {}) {
  auto deck = Deck::from_text(text, "deck.yaml");
  for (auto const& assignment : overrides) deck.override_with(assignment);
  auto const settings = bind(deck);
  deck.check_all_known();
  return settings;
}

/// The message that reading the text ends with; empty when it is accepted.
inline std::string complaint(std::string const& text, std::vector<std::string> const& overrides = {}) {
  try {
    read(text, overrides);
  } catch (InputError const& error) {
    return error.what();
  }
  return "";
}

inline void expect_complaint(std::string const& text, std::string const& expected,
                             std::vector<std::string> const& overrides = {}) {
  auto const message = complaint(text, overrides);
  EXPECT_NE(message.find(expected), std::string::npos) << "deck: " << text << "\nmessage: " << message;
}

}  // namespace onedge::config::test
