// data.labels and data.per_label: which samples stay, in which order, under which labels.
#include <onedge/core/random.hpp>

#include "files.hpp"

namespace onedge::data::test {
namespace {

constexpr std::size_t count = 300;

int label_of(std::size_t sample) { return static_cast<int>(RandomStream(2, "label").integer(sample, 10)); }

/// MNIST's files with images of 1 by 2 pixels that hold the number of their sample.
void write_set(Folder const& folder, std::string const& prefix, std::size_t samples) {
  Bytes images{
      0, 0, 8, 3, 0, 0, static_cast<std::uint8_t>(samples / 256), static_cast<std::uint8_t>(samples % 256), 0, 0,
      0, 1, 0, 0, 0, 2};
  Bytes labels{0, 0, 8, 1, 0, 0, static_cast<std::uint8_t>(samples / 256), static_cast<std::uint8_t>(samples % 256)};
  for (std::size_t i = 0; i < samples; ++i) {
    images.push_back(static_cast<std::uint8_t>(i / 256));
    images.push_back(static_cast<std::uint8_t>(i % 256));
    labels.push_back(static_cast<std::uint8_t>(label_of(i)));
  }
  write(folder / (prefix + "-images-idx3-ubyte"), images);
  write(folder / (prefix + "-labels-idx1-ubyte"), labels);
}

struct Expected {
  std::vector<std::size_t> samples;
  std::vector<int> labels;
};

Expected expected(std::vector<std::int64_t> const& labels, std::size_t per_label, std::size_t samples) {
  Expected result;
  std::vector<std::size_t> taken(10, 0);
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t k = 0; k < labels.size(); ++k) {
      if (labels[k] != label_of(i) || taken[k]++ >= per_label) continue;
      result.samples.push_back(i);
      result.labels.push_back(static_cast<int>(k));
    }
  }
  return result;
}

void expect_samples(Source const& source, Expected const& wanted) {
  ASSERT_EQ(source.description().samples, wanted.samples.size());
  std::size_t const n = wanted.samples.size();
  for (std::size_t first = 0; first < n; first += 3) {
    auto const found = source.read(first, n - first);
    ASSERT_EQ(found.pixels.size(), 2 * (n - first));
    for (std::size_t i = first; i < n; ++i) {
      ASSERT_EQ(found.pixels[2 * (i - first)] * 256u + found.pixels[2 * (i - first) + 1], wanted.samples[i]);
      ASSERT_EQ(found.labels[i - first], wanted.labels[i]);
    }
  }
}

TEST(LabelSelection, KeepsTheFirstOfEachLabelInFileOrder) {
  Folder const folder;
  write_set(folder, "train", count);
  write_set(folder, "t10k", 40);
  auto config = config_of("mnist", folder.string());
  config.labels = {7, 0, 3};
  expect_samples(*make_source(config, Split::train), expected({7, 0, 3}, count, count));
  config.per_label = 5;
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().classes, 3U);
  EXPECT_EQ(source->description().samples, 15U);
  EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{1, 2, 1}));
  expect_samples(*source, expected({7, 0, 3}, 5, count));
  // The test samples of these labels are all used.
  expect_samples(*make_source(config, Split::test), expected({7, 0, 3}, count, 40));
}

TEST(LabelSelection, MayTakeSomeOfEveryLabel) {
  Folder const folder;
  write_set(folder, "train", count);
  auto config = config_of("mnist", folder.string());
  config.per_label = 4;
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().classes, 10U);
  expect_samples(*source, expected({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 4, count));
}

TEST(LabelSelection, RangeCountsWhatIsLeft) {
  Folder const folder;
  write_set(folder, "train", count);
  auto config = config_of("mnist", folder.string());
  config.labels = {1, 2};
  config.per_label = 6;
  config.first = 8;
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(sample_range(config, source->description()).count, 4U);
  config.samples = 5;
  expect_input_error([&] { sample_range(config, source->description()); }, {"data.samples", "12 samples"});
}

TEST(LabelSelection, RefusesLabelsThatDoNotExist) {
  Folder const folder;
  write_set(folder, "train", 1);
  auto config = config_of("mnist", folder.string());
  config.labels = {3, 10};
  expect_input_error([&] { make_source(config, Split::train); }, {"data.labels: 10", "0 to 9", folder.string()});
  config.labels = {label_of(0) == 5 ? 6 : 5};
  expect_input_error([&] { make_source(config, Split::train); }, {"data.labels", "no sample", folder.string()});
}

}  // namespace
}  // namespace onedge::data::test
