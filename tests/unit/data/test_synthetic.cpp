// Synthetic samples, and the section `data` of decks.
#include <onedge/core/random.hpp>

#include <cmath>
#include <set>

#include "files.hpp"

namespace onedge::data::test {
namespace {

DataConfig bind(std::string const& text) {
  auto const deck = config::Deck::from_text(text, "deck.yaml");
  auto const config = DataConfig::bind(deck.root().section("data"));
  deck.check_all_known();
  return config;
}

TEST(Synthetic, AnySampleCanBeMadeAlone) {
  auto const config = bind("data: {set: synthetic, first: 10, samples: 90, features: 7, classes: 4, seed: 3}");
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().samples, 100U);
  EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{7}));
  EXPECT_EQ(source->description().classes, 4U);
  auto const all = source->read(0, 100);
  for (std::size_t i = 0; i < 100; ++i) {
    auto const one = make_source(config, Split::train)->read(i, 1);
    ASSERT_EQ(one.labels[0], all.labels[i]);
    ASSERT_EQ(one.reals, std::vector<double>(all.reals.begin() + 7 * i, all.reals.begin() + 7 * (i + 1)));
  }
}

TEST(Synthetic, LabelsComeFromATeacherThatTellsClassesApart) {
  auto const config = bind("data: {set: synthetic, samples: 2000, features: 7, classes: 4}");
  auto const samples = make_source(config, Split::train)->read(0, 2000);
  std::vector<int> count(4);
  for (auto const label : samples.labels) ++count[static_cast<std::size_t>(label)];
  for (auto const n : count) EXPECT_GT(n, 40);
  double mean = 0.0;
  double square = 0.0;
  for (auto const x : samples.reals) {
    mean += x / 14000.0;
    square += x * x / 14000.0;
  }
  EXPECT_NEAR(mean, 0.0, 5.0 / std::sqrt(14000.0));
  EXPECT_NEAR(square, 1.0, 5.0 * std::sqrt(2.0 / 14000.0));
  // The same teacher by plain loops, on the first samples.
  RandomStream const first(0, "data/synthetic/teacher/first");
  RandomStream const second(0, "data/synthetic/teacher/second");
  for (std::size_t sample = 0; sample < 20; ++sample) {
    std::vector<double> score(4);
    for (std::size_t k = 0; k < 4; ++k) {
      for (std::size_t j = 0; j < 32; ++j) {
        double sum = 0.0;
        for (std::size_t i = 0; i < 7; ++i) sum += samples.reals[sample * 7 + i] * first.normal(i * 32 + j);
        score[k] += std::tanh(sum / std::sqrt(7.0)) * second.normal(j * 4 + k);
      }
    }
    auto const label = static_cast<std::size_t>(samples.labels[sample]);
    for (std::size_t k = 0; k < 4; ++k) EXPECT_LE(score[k], score[label] + 1e-12);
  }
}

TEST(Synthetic, SeedsAndSplitsDiffer) {
  auto config = bind("data: {set: synthetic, samples: 8, test_samples: 5}");
  auto const train = make_source(config, Split::train)->read(0, 5);
  auto const test = make_source(config, Split::test);
  EXPECT_EQ(test->description().samples, 5U);
  EXPECT_NE(train.reals, test->read(0, 5).reals);
  config.seed = 1;
  EXPECT_NE(train.reals, make_source(config, Split::train)->read(0, 5).reals);
}

TEST(DataConfig, HasDefaults) {
  auto const config = bind("{}");
  EXPECT_EQ(config.set, "fashion-mnist");
  EXPECT_EQ(config.path, "/usr/share/datasets/fashion-mnist");
  EXPECT_EQ(config.first, 0);
  EXPECT_EQ(config.samples, DataConfig::all);
  EXPECT_EQ(bind("data: {samples: 4096, first: 4096}").samples, 4096);
  EXPECT_EQ(config.standardize, "none");
  EXPECT_EQ(bind("data: {set: text, path: a}").test_samples, 0);
  EXPECT_EQ(bind("data: {set: images, path: a, size: 300, resize: none}").resize, 0);
  EXPECT_EQ(bind("data: {labels: [4, 2], per_label: 250}").labels, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(bind("data: {set: hdf5, path: a.h5}").classes, 0);
  EXPECT_EQ(bind("data: {set: hdf5, path: a.h5, classes: 3}").classes, 3);
}

TEST(DataConfig, RefusesBadSections) {
  expect_input_error([] { bind("data: {set: cifar11}"); }, {"data.set", "did you mean cifar10?"});
  expect_input_error([] { bind("data:\n  set: cifar10"); }, {"deck.yaml:", "data.path: is required"});
  expect_input_error([] { bind("data: {set: hdf5}"); }, {"data.path: is required"});
  expect_input_error([] { bind("data: {samples: 0}"); }, {"data.samples: must be >= 1"});
  expect_input_error([] { bind("data: {samples: some}"); }, {"data.samples: must be an integer or all"});
  expect_input_error([] { bind("data: {first: -1}"); }, {"data.first: must be >= 0"});
  expect_input_error([] { bind("data: {set: synthetic}"); }, {"data.samples: synthetic data need a number"});
  expect_input_error([] { bind("data: {set: synthetic, samples: 9000000000000000000}"); }, {"data.samples"});
  expect_input_error([] { bind("data: {labels: [3, 1, 3]}"); }, {"data.labels", "3 twice"});
  expect_input_error([] { bind("data: {labels: [-1]}"); }, {"data.labels"});
  expect_input_error([] { bind("data: {per_label: 0}"); }, {"data.per_label"});
  expect_input_error([] { bind("data: {set: synthetic, samples: 3, labels: [1]}"); }, {"data.labels"});
  expect_input_error([] { bind("data: {standardize: channels}"); }, {"data.standardize", "channel"});
  expect_input_error([] { bind("data: {set: text}"); }, {"data.path: is required"});
  expect_input_error([] { bind("data: {set: text, path: a, length: 0}"); }, {"data.length: must be >= 1"});
  expect_input_error([] { bind("data: {set: text, path: a, standardize: pixel}"); }, {"data.standardize"});
  expect_input_error([] { bind("data: {set: text, path: a, labels: [1]}"); }, {"data.labels"});
  expect_input_error([] { bind("data: {set: images, path: a, resize: 223}"); }, {"data.resize", "data.size (224)"});
  expect_input_error([] { bind("data: {set: images, path: a, resize: any}"); }, {"data.resize", "none"});
  expect_input_error([] { bind("data: {features: 3}"); }, {"data.features: unknown key"});
}

TEST(DataConfig, DocumentsTheKeysOfEveryKind) {
  auto const deck = config::Deck::for_documentation();
  DataConfig::bind(deck.root().section("data"));
  std::set<std::string> rows;
  for (auto const& key : deck.keys()) rows.insert(key.path + " | " + key.condition + " | " + key.default_value);
  EXPECT_EQ(rows, (std::set<std::string>{
                      "data.set |  | fashion-mnist",
                      "data.path | set: fashion-mnist | /usr/share/datasets/fashion-mnist",
                      "data.path | set: mnist, cifar10, cifar100 | required",
                      "data.path | set: hdf5 | required",
                      "data.layout | set: hdf5 | nhwc",
                      "data.first |  | 0",
                      "data.samples |  | all",
                      "data.path | set: text | required",
                      "data.path | set: images | required",
                      "data.labels | set: not synthetic, text | []",
                      "data.per_label | set: not synthetic, text | all",
                      "data.standardize | set: not text | none",
                      "data.size | set: images | 224",
                      "data.resize | set: images | 256",
                      "data.length | set: text | 64",
                      "data.test_samples | set: text | 0",
                      "data.classes | set: hdf5 | auto",
                      "data.features | set: synthetic | 64",
                      "data.classes | set: synthetic | 10",
                      "data.seed | set: synthetic | 0",
                      "data.test_samples | set: synthetic | 1024",
                  }));
}

}  // namespace
}  // namespace onedge::data::test
