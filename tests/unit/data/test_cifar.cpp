// CIFAR's binary files: channels come last, parts follow one another.
#include "files.hpp"

namespace onedge::data::test {
namespace {

std::uint8_t value(std::size_t sample, std::size_t channel, std::size_t row, std::size_t column) {
  return static_cast<std::uint8_t>(sample * 101 + channel * 53 + row * 7 + column * 3);
}

/// Records of the samples first … first+count−1; label bytes in front of each.
Bytes records(std::size_t first, std::size_t count, std::size_t label_bytes) {
  Bytes bytes;
  for (std::size_t sample = first; sample < first + count; ++sample) {
    if (label_bytes == 2) bytes.push_back(static_cast<std::uint8_t>(sample % 20));
    bytes.push_back(static_cast<std::uint8_t>(sample % (label_bytes == 2 ? 100 : 10)));
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t row = 0; row < 32; ++row) {
        for (std::size_t column = 0; column < 32; ++column) bytes.push_back(value(sample, channel, row, column));
      }
    }
  }
  return bytes;
}

void expect_right(Source const& source, std::size_t first, std::size_t count, int classes) {
  auto const samples = source.read(first, count);
  ASSERT_EQ(samples.pixels.size(), count * 3072);
  std::size_t at = 0;
  for (std::size_t sample = first; sample < first + count; ++sample) {
    ASSERT_EQ(samples.labels[sample - first], static_cast<int>(sample) % classes);
    for (std::size_t row = 0; row < 32; ++row) {
      for (std::size_t column = 0; column < 32; ++column) {
        for (std::size_t channel = 0; channel < 3; ++channel) {
          ASSERT_EQ(samples.pixels[at++], value(sample, channel, row, column));
        }
      }
    }
  }
}

TEST(Cifar10, ReadsAcrossBatches) {
  Folder const folder;
  auto const config = config_of("cifar10", folder.string());
  write(folder / "data_batch_1.bin", records(0, 5, 1));
  write(folder / "data_batch_2.bin", records(5, 3, 1));
  write(folder / "data_batch_3.bin", records(8, 4, 1));
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().samples, 12U);
  EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{32, 32, 3}));
  EXPECT_EQ(source->description().classes, 10U);
  for (std::size_t first = 0; first < 12; ++first) {
    for (std::size_t count = 0; first + count <= 12; ++count) expect_right(*source, first, count, 10);
  }
  EXPECT_THROW(source->read(3, 10), InputError);
  EXPECT_FALSE(has_test_split(config));
  write(folder / "test_batch.bin", records(0, 2, 1));
  EXPECT_TRUE(has_test_split(config));
  expect_right(*make_source(config, Split::test), 0, 2, 10);
}

TEST(Cifar10, TakesNoBatchBehindOneThatIsMissing) {
  Folder const folder;
  auto config = config_of("cifar10", folder.string());
  write(folder / "data_batch_1.bin", records(0, 5, 1));
  write(folder / "data_batch_2.bin", records(5, 3, 1));
  EXPECT_EQ(
      make_source(config, Split::train)->warnings().texts(),
      (std::vector<std::string>{folder.string() + ": data_batch_3.bin is missing, so that there are 8 samples only"}));
  write(folder / "data_batch_4.bin", records(8, 4, 1));
  expect_input_error([&] { make_source(config, Split::train); },
                     {folder.string(), "has data_batch_4.bin, but no data_batch_3.bin", "data.samples"});
  config.samples = 8;
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().samples, 8U);
  expect_right(*source, 0, 8, 10);
  EXPECT_EQ(source->warnings().texts(),
            (std::vector<std::string>{folder.string() +
                                      ": data_batch_3.bin is missing, so that data_batch_4.bin is not used"}));
  config.samples = 9;
  expect_input_error([&] { sample_range(config, source->description()); },
                     {"0 + 9", "the 8 samples", folder.string(), "data_batch_3.bin is missing"});
  std::filesystem::remove(folder / "data_batch_1.bin");
  expect_input_error([&] { make_source(config, Split::train); }, {"no data_batch_1.bin in " + folder.string()});
}

TEST(Cifar100, UsesTheFineLabels) {
  Folder const folder;
  auto const config = config_of("cifar100", folder.string());
  write(folder / "train.bin", records(0, 130, 2));
  write(folder / "test.bin", records(0, 3, 2));
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().classes, 100U);
  expect_right(*source, 20, 110, 100);
  expect_right(*make_source(config, Split::test), 1, 2, 100);
}

TEST(Cifar, RefusesBadFiles) {
  Folder const folder;
  auto const read = [&] { make_source(config_of("cifar10", folder.string()), Split::train)->read(0, 1); };
  expect_input_error(read, {"data.path: no data_batch_1.bin in " + folder.string()});
  auto bytes = records(0, 2, 1);
  bytes.pop_back();
  write(folder / "data_batch_1.bin", bytes);
  expect_input_error(read, {"data_batch_1.bin", "truncated", "6145 bytes", "3073"});
  write(folder / "data_batch_1.bin", {});
  expect_input_error(read, {"data_batch_1.bin", "truncated"});
  bytes = records(0, 2, 1);
  bytes[0] = 11;
  write(folder / "data_batch_1.bin", bytes);
  expect_input_error(read, {"label 11 of sample 0 is outside 0 to 9"});
}

}  // namespace
}  // namespace onedge::data::test
