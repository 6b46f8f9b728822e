// Whatever a deck holds, it is read or refused with a message: no crash, no endless loop.
#include <chrono>
#include <random>
#include <sstream>

#include "settings.hpp"

namespace onedge::config::test {
namespace {

/// One random change: a character replaced, inserted or removed, or a stretch copied elsewhere.
std::string mutate(std::string text, std::mt19937_64& generator) {
  static std::string const alphabet = "{}[]:,.-?&*!|>'\"%@` \t\n#~aseed019\\\r\x01\xc2\x85\xff=<";
  auto const pick = [&](std::size_t bound) { return static_cast<std::size_t>(generator() % bound); };
  auto const changes = 1 + pick(4);
  for (std::size_t change = 0; change < changes && !text.empty(); ++change) {
    auto const where = pick(text.size());
    auto const character = alphabet[pick(alphabet.size())];
    switch (pick(4)) {
      case 0:
        text[where] = character;
        break;
      case 1:
        text.insert(where, 1, character);
        break;
      case 2:
        text.erase(where, 1 + pick(5));
        break;
      default:
        text.insert(where, text.substr(pick(text.size()), pick(40)));
    }
  }
  return text;
}

TEST(Deck, NoMutationDoesMoreThanFailCleanly) {
  std::string const valid =
      "run: {name: quickstart, seed: 0, steps: 300, micro_batch: auto, stop: {loss_above: 1.0e+3}}\n"
      "model:\n  hidden: [256, 256]\n  rates:\n    - 0.5\n    - 0.25\n"
      "tuner: &t {kind: cdat, sigma: 2.0}\nmeasure:\n  sharpness: {every: 10}\nsweep: {tuner.sigma: [1.0, 2.0]}\n";
  ASSERT_EQ(complaint(valid), "");
  int accepted = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::mt19937_64 generator(seed);
    auto const text = mutate(valid, generator);
    try {
      auto const deck = Deck::from_text(text, "deck.yaml");
      bind(deck);
      deck.check_all_known();
      auto const once = deck.resolved();
      auto const again = Deck::from_text(once, "resolved");
      bind(again);
      EXPECT_EQ(again.resolved(), once) << text;
      ++accepted;
    } catch (InputError const& error) {
      EXPECT_EQ(std::string(error.what()).rfind("deck.yaml", 0), 0U) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(accepted, 10);
  EXPECT_GT(refused, 100);
}

TEST(Deck, DeepNestingFailsCleanly) {
  EXPECT_THROW(read(std::string(100000, '[')), InputError);
  EXPECT_THROW(read("run: " + std::string(100000, '{')), InputError);
  std::string laughs = "run:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    auto const alias = "*a" + std::to_string(i - 1);
    laughs += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int k = 0; k < 9; ++k) laughs += ", " + alias;
    laughs += "]\n";
  }
  EXPECT_THROW(read(laughs), InputError);
}

std::string repeated(std::string const& pattern, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    auto const at = pattern.find('#');
    text += pattern.substr(0, at);
    if (at != std::string::npos) text += std::to_string(i) + pattern.substr(at + 1);
  }
  return text;
}

TEST(Deck, NoTextTakesLong) {
  std::string const words(900000, 'a');
  for (auto const& text :
       {"run: {name: " + words + "}", "run: {name: \"" + repeated("\\n", 400000) + "\"}", "run: {" + words + ": 1}",
        "run:\n" + repeated("  k#: 1\n", 80000), "run: {" + repeated("k#: 1, ", 80000) + "}",
        "sweep:\n" + repeated("  run.k#: 1\n", 49000), "model: {hidden: [" + repeated("1, ", 90000) + "1]}",
        "run: " + std::string(900000, '['), "run: " + repeated("{a: ", 200000), "run:\n " + repeated("- ", 400000),
        "run:\n" + repeated("  - &a# 1\n", 60000), "run: {name: a" + std::string(900000, '\t') + "}"}) {
    auto const begin = std::chrono::steady_clock::now();
    auto const message = complaint(text);
    EXPECT_LT(message.size(), 1000U) << message.substr(0, 100);
    try {
      Deck::from_text(text, "deck.yaml").cases();
    } catch (InputError const&) {
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << text.substr(0, 40);
  }
}

TEST(Deck, TooLargeATextIsRefusedBeforeItIsRead) {
  expect_complaint("run: {name: " + std::string(largest_text, 'a') + "}", "1048576 bytes");
  std::istringstream stream(std::string(2 * largest_text, ' '));
  EXPECT_THROW(read_text(stream, "deck.yaml"), InputError);
  EXPECT_LE(static_cast<std::size_t>(stream.tellg()), largest_text + 1);
}

TEST(Sweep, ManyKeysOfManyCasesAreRefused) {
  auto const sweep = [](int keys) {
    return Deck::from_text("sweep:\n  run.seed: {from: 0, to: 9999}\n" + repeated("  model.k#: 1\n", keys),
                           "deck.yaml");
  };
  EXPECT_EQ(sweep(9).cases().size(), 10000U);
  EXPECT_THROW(sweep(1000).cases(), InputError);
}

}  // namespace
}  // namespace onedge::config::test
