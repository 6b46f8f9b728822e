// Decks: what is read, what is refused and with which words, and what is written back.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "settings.hpp"

namespace onedge::config::test {
namespace {

TEST(Deck, ReadsEveryType) {
  auto const s = read(
      "# a comment\n"
      "run: {name: first try, seed: -3, steps: 1e3, micro_batch: 128, profile: true, stop: {loss_above: 1e-5}}\n"
      "model:\n"
      "  hidden:\n"
      "    - 32\n"
      "    - 1.6e+1\n"
      "  rates: [0, .5, 1e-5]\n"
      "tuner: {kind: constant, learning_rate: 3}\n"
      "measure: {sharpness: {every: 3.0}}\n");
  EXPECT_EQ(s.name, "first try");
  EXPECT_EQ(s.seed, -3);
  EXPECT_EQ(s.steps, 1000);
  EXPECT_EQ(s.micro_batch, 128);
  EXPECT_TRUE(s.profile);
  EXPECT_EQ(s.loss_above, 1e-5);
  EXPECT_EQ(s.hidden, (std::vector<std::int64_t>{32, 16}));
  EXPECT_EQ(s.rates, (std::vector<double>{0.0, 0.5, 1e-5}));
  EXPECT_EQ(s.kind, "constant");
  EXPECT_EQ(s.learning_rate, 3.0);
  EXPECT_EQ(s.every, 3);
}

TEST(Deck, KeepsDefaultsOfWhatIsNotGiven) {
  for (auto const* text : {"{}", "run:\nmodel:\n"}) {
    auto const s = read(text);
    EXPECT_EQ(s.name, "unnamed");
    EXPECT_EQ(s.micro_batch, 0);
    EXPECT_EQ(s.hidden, (std::vector<std::int64_t>{256, 256}));
    EXPECT_TRUE(std::isnan(s.loss_above));
  }
}

TEST(Deck, NamesUnknownKeysWithLineAndNearest) {
  EXPECT_EQ(complaint("run:\n  name: a\n  sede: 1\n"),
            "deck.yaml:3: run.sede: unknown key of section run; did you mean seed?");
  EXPECT_EQ(complaint("run:\n  zebra: 1\n"),
            "deck.yaml:2: run.zebra: unknown key of section run; its keys here are name, seed, steps, micro_batch, "
            "profile, stop");
  EXPECT_EQ(complaint("\n\ntunr: {kind: cdat}\n"), "deck.yaml:3: tunr: unknown section; did you mean tuner?");
  expect_complaint("data: {set: mnist}", "the sections are run, model, tuner, measure, sweep");
  expect_complaint("measure:\n  sharpness:\n    evry: 3\n", "deck.yaml:3: measure.sharpness.evry: unknown key");
  expect_complaint("run: {stop.loss_above: 3}", "run.stop.loss_above: unknown key of section run");
  // A key of another kind is unknown here.
  expect_complaint("tuner:\n  kind: constant\n  learning_rate: 1\n  sigma: 2\n",
                   "deck.yaml:4: tuner.sigma: unknown key of section tuner; its keys here are kind, learning_rate");
}

TEST(Deck, RefusesWrongTypes) {
  expect_complaint("run:\n  seed: abc\n", "deck.yaml:2: run.seed: must be an integer, found 'abc'");
  expect_complaint("run: {seed: 1.5}", "run.seed: must be an integer, found '1.5'");
  expect_complaint("run: {seed: [1]}", "run.seed: must be an integer, found a list");
  expect_complaint("run: {seed: '1'}", "run.seed: must be an integer, found the text '1'");
  expect_complaint("run: {seed: }", "run.seed: has no value; it must be an integer");
  expect_complaint("run: {seed: 0x10}", "must be an integer");
  expect_complaint("run: {seed: 1e-3}", "must be an integer");
  expect_complaint("run: {seed: 12345678901234567.0}", "must be an integer");
  expect_complaint("run: {seed: 9223372036854775808}", "is beyond what a 64-bit integer holds");
  EXPECT_EQ(read("run: {seed: 9223372036854775807}").seed, std::numeric_limits<std::int64_t>::max());
  expect_complaint("run: {profile: yes}", "run.profile: must be true or false, found 'yes'");
  expect_complaint("run: {name: {a: b}}", "run.name: must be text, found a mapping");
  expect_complaint("run: {micro_batch: manual}", "run.micro_batch: must be an integer or auto, found 'manual'");
  expect_complaint("tuner: {sigma: two}", "tuner.sigma: must be a number, found 'two'");
  expect_complaint("tuner: {sigma: 1e999}", "1e999 is beyond what a double holds");
  for (auto const* word : {"inf", ".inf", "-.inf", "nan", ".nan", "infinity", "NaN"}) {
    expect_complaint("tuner: {sigma: " + std::string(word) + "}", "tuner.sigma: must be a");
  }
  expect_complaint("model: {hidden: 256}", "model.hidden: must be a list of integers such as [256, 256], found '256'");
  expect_complaint("model:\n  hidden:\n    - 1\n    - x\n", "deck.yaml:4: model.hidden[1]: must be an integer");
  expect_complaint("measure: {sharpness: 3}", "measure.sharpness: must be a mapping");
}

TEST(Deck, RefusesValuesOutOfRange) {
  expect_complaint("run:\n\n  steps: 0\n", "deck.yaml:3: run.steps: must be >= 1, found 0");
  expect_complaint("tuner: {sigma: 0}", "tuner.sigma: must be > 0, found 0");
  expect_complaint("model: {rates: [0.5, 1]}", "model.rates[1]: must be >= 0 and < 1, found 1");
  expect_complaint("model: {hidden: [-1]}", "model.hidden[0]: must be >= 1, found -1");
}

TEST(Deck, AnswersMisspeltWordsWithTheNearest) {
  expect_complaint("tuner:\n  kind: cdta\n", "deck.yaml:2: tuner.kind: unknown value 'cdta'; did you mean cdat?");
  expect_complaint("tuner: {kind: bisection}", "the choices are constant, cdat, polyak");
}

TEST(Deck, AsksForRequiredKeys) {
  expect_complaint("run: {}\ntuner:\n  kind: constant\n", "deck.yaml:2: tuner.learning_rate: is required (the rate)");
}

TEST(Deck, RefusesDuplicates) {
  expect_complaint("run:\n  seed: 1\n  name: a\n  seed: 2\n",
                   "deck.yaml:4: seed: given twice in the same mapping (first at deck.yaml:2)");
  expect_complaint("run: {seed: 1}\nmodel: {}\nrun: {steps: 2}\n", "deck.yaml:3: run: given twice");
  expect_complaint("sweep: {a: {b: 1, b: 2}}", "given twice");
}

TEST(Deck, RefusesWhatIsNoDeck) {
  expect_complaint("", "deck.yaml: is empty");
  expect_complaint("# only this\n", "deck.yaml: is empty");
  expect_complaint("- a\n- b\n", "a deck is a mapping of sections, found a list");
  expect_complaint("hello", "a deck is a mapping of sections, found 'hello'");
  expect_complaint("run: {}\nseed: 3\n", "deck.yaml:2: seed: a section holds a mapping");
  expect_complaint("run: {}\n---\nrun: {}\n", "deck.yaml:2: not valid YAML, or a second document");
  expect_complaint(", run: {}\n", "deck.yaml:1: not valid YAML");
  expect_complaint("run: {}\n]\n", "deck.yaml:2: not valid YAML");
  expect_complaint("? [a, b]\n: c\n", "a key must be a word");
  expect_complaint("run: &a {stop: *a}\n", "deck.yaml:1: nested too deeply");
}

TEST(Deck, NamesTheLineOfSyntaxErrors) {
  expect_complaint("run:\n  seed: 1\n  name: [a, b\n", "deck.yaml:");
  expect_complaint("run: {seed: 1}\nmodel: ]\n", "deck.yaml:2: not valid YAML");
  expect_complaint("run:\n\tseed: 1\n", "deck.yaml:2: not valid YAML");
  EXPECT_THROW(Deck::from_text("run: {name: \"unfinished", "deck.yaml"), InputError);
}

TEST(Deck, FilesThatCannotBeReadAreInputErrors) {
  EXPECT_THROW(Deck::from_file("/no/such/deck.yaml"), InputError);
  EXPECT_THROW(Deck::from_file("/"), InputError);
  auto const path = (std::filesystem::temp_directory_path() / ("onedge_deck_" + std::to_string(getpid()))).string();
  std::ofstream(path) << "run: {seed: 5}\nmodel: {hidden: x}\n";
  auto deck = Deck::from_file(path);
  try {
    bind(deck);
    ADD_FAILURE() << "accepted";
  } catch (InputError const& error) {
    EXPECT_EQ(std::string(error.what()).rfind(path + ":2: model.hidden:", 0), 0U) << error.what();
  }
  std::filesystem::remove(path);
}

TEST(Deck, Overrides) {
  auto const s = read("run: {seed: 1}\ntuner: {sigma: 3.0}\n",
                      {"run.seed=7", "model.hidden=[8, 9]", "run.stop.loss_above=1e2", "run.name=a=b: c",
                       "run.name='a=b: c'", "measure.sharpness.every=2", "sweep.tuner.sigma=[1, 2]"});
  EXPECT_EQ(s.seed, 7);
  EXPECT_EQ(s.hidden, (std::vector<std::int64_t>{8, 9}));
  EXPECT_EQ(s.loss_above, 100.0);
  EXPECT_EQ(s.name, "a=b: c");
  EXPECT_EQ(s.every, 2);
  EXPECT_EQ(s.sigma, 3.0);
}

TEST(Deck, RefusesMalformedOverrides) {
  for (auto const* bad : {"", "=", "run.seed", "=3", "seed=3", ".seed=3", "run.=3", "run..seed=3", "run .seed=3"}) {
    expect_complaint("{}", std::string("command line: '") + bad + "': an override has the form section.key=value",
                     {bad});
  }
  expect_complaint("{}", "command line: 'run.seed=': has no value", {"run.seed="});
  expect_complaint("{}", "command line: 'model.hidden=[1,': not valid YAML", {"model.hidden=[1,"});
  expect_complaint("{}", "command line: run.seed: must be an integer, found 'x'", {"run.seed=x"});
  expect_complaint("{}", "command line: run.sed: unknown key of section run; did you mean seed?", {"run.sed=1"});
  expect_complaint("run: {seed: 1}", "what it wants to enter is '1' (deck.yaml:1), not a section", {"run.seed.x=1"});
  EXPECT_THROW(read("{}", {"run" + std::string(100000, '.') + "=1"}), InputError);
  std::string deep = "run";
  for (int i = 0; i < 50000; ++i) deep += ".a";
  EXPECT_THROW(read("{}", {deep + "=1"}), InputError);
}

TEST(Deck, WritesEveryValueInBindingOrder) {
  auto const deck = Deck::from_text("tuner: {sigma: 1e-5}\nrun: {name: 'true', steps: 4096, seed: 2}\n", "deck.yaml");
  bind(deck);
  EXPECT_EQ(deck.resolved(),
            "run:\n  name: 'true'\n  seed: 2\n  steps: 4096\n  micro_batch: auto\n  profile: false\n"
            "model:\n  hidden: [256, 256]\n  rates: [0.5]\n"
            "tuner:\n  kind: cdat\n  sigma: 1.0e-05\n"
            "measure:\n  sharpness:\n    every: 10\n");
}

TEST(Deck, WhatIsWrittenReadsBackTheSame) {
  std::mt19937_64 generator(1);
  for (int trial = 0; trial < 300; ++trial) {
    auto const deck = Deck::from_text("{}", "deck.yaml");
    double value = 0.0;
    auto const bits = generator() & 0x7fffffffffffffffULL;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value) || value == 0.0) continue;
    Settings s;
    s.sigma = value;
    for (int i = 0; i < 5; ++i) s.name += static_cast<char>(1 + generator() % 126);
    s.seed = static_cast<std::int64_t>(generator());
    deck.root().section("tuner").bind("sigma", s.sigma, "");
    deck.root().section("run").bind("name", s.name, "");
    deck.root().section("run").bind("seed", s.seed, "");
    auto const text = deck.resolved();
    auto const again = Deck::from_text(text, "resolved");
    auto const t = bind(again);
    EXPECT_EQ(t.sigma, value) << text;
    EXPECT_EQ(t.name, s.name) << text;
    EXPECT_EQ(t.seed, s.seed) << text;
    auto const once = again.resolved();
    auto const twice = Deck::from_text(once, "resolved");
    bind(twice);
    EXPECT_EQ(twice.resolved(), once);
    EXPECT_NE(text.substr(text.find("sigma:"), text.find('\n', text.find("sigma:"))).find('.'), std::string::npos);
  }
}

TEST(Deck, TextsThatLookLikeSomethingElseAreQuoted) {
  for (std::string const name :
       {"yes",  "No",   "null", "~",   "12",   "1.5",         "1e-5",  "",           " padded ",    "a: b",
        "a #b", "it's", "-",    "[x]", ".inf", "line\nbreak", "tab\t", "\"quoted\"", "back\\slash", "Ünïcode"}) {
    auto const deck = Deck::from_text("{}", "deck.yaml");
    std::string value = name;
    deck.root().section("run").bind("name", value, "");
    EXPECT_EQ(bind(Deck::from_text(deck.resolved(), "resolved")).name, name) << deck.resolved();
    EXPECT_EQ(deck.resolved().find("name: " + name + "\n"), std::string::npos) << deck.resolved();
  }
  auto const deck = Deck::from_text("{}", "deck.yaml");
  std::string path = "/usr/share/data-sets/file_1.h5";
  deck.root().section("run").bind("name", path, "");
  EXPECT_EQ(deck.resolved(), "run:\n  name: /usr/share/data-sets/file_1.h5\n");
}

TEST(Deck, FreeFormSectionsAreAcceptedAsTheyAre) {
  auto deck =
      Deck::from_text("sweep: {tuner.sigma: [1.0, 2], run.seed: {from: 0, to: 2}, run.name: ['1', a b, ~]}\n", "d");
  deck.override_with("sweep.tuner.sigma=[3.0]");
  EXPECT_EQ(deck.root().section("sweep").free_form(),
            "tuner.sigma: [3.0]\nrun.seed: {from: 0, to: 2}\nrun.name: ['1', 'a b', null]\n");
  deck.check_all_known();
  EXPECT_EQ(deck.resolved(), "{}\n");
  EXPECT_EQ(Deck::from_text("{}", "d").root().section("sweep").free_form(), "");
}

TEST(Deck, SectionsUnderAConditionShareTheMapping) {
  auto const deck = Deck::from_text("tuner: {sigma: 4}\n", "d");
  auto tuner = deck.root().section("tuner");
  EXPECT_TRUE(tuner.given("sigma"));
  EXPECT_FALSE(tuner.given("kind"));
  EXPECT_TRUE(deck.root().given("tuner"));
  EXPECT_EQ(bind(deck).sigma, 4.0);
  try {
    tuner.fail("sigma", "is not to my taste");
  } catch (InputError const& error) {
    EXPECT_STREQ(error.what(), "d:1: tuner.sigma: is not to my taste");
  }
}

TEST(Deck, DescribesItsKeys) {
  auto const deck = Deck::for_documentation();
  bind(deck);
  auto const row = [&](std::string const& path) -> KeyDescription {
    for (auto const& key : deck.keys()) {
      if (key.path == path) return key;
    }
    ADD_FAILURE() << path;
    return {};
  };
  EXPECT_EQ(deck.keys().front().path, "run.name");
  EXPECT_EQ(deck.keys().size(), 12U);
  EXPECT_EQ(row("run.steps").type, "integer");
  EXPECT_EQ(row("run.steps").range, ">= 1");
  EXPECT_EQ(row("run.steps").default_value, "300");
  EXPECT_EQ(row("run.micro_batch").type, "integer or auto");
  EXPECT_EQ(row("run.micro_batch").default_value, "auto");
  EXPECT_EQ(row("run.stop.loss_above").default_value, "none");
  EXPECT_EQ(row("run.profile").type, "boolean");
  EXPECT_EQ(row("run.name").type, "text");
  EXPECT_EQ(row("model.hidden").type, "list of integers");
  EXPECT_EQ(row("model.hidden").default_value, "[256, 256]");
  EXPECT_EQ(row("model.rates").type, "list of numbers");
  EXPECT_EQ(row("model.rates").range, ">= 0 and < 1");
  EXPECT_EQ(row("tuner.kind").type, "one of constant, cdat, polyak");
  EXPECT_EQ(row("tuner.sigma").type, "number");
  EXPECT_EQ(row("tuner.sigma").condition, "kind: cdat");
  EXPECT_EQ(row("tuner.sigma").meaning, "scaling");
  EXPECT_EQ(row("tuner.learning_rate").default_value, "required");
}

}  // namespace
}  // namespace onedge::config::test
