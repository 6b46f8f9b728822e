// IDX files, plain and compressed, whole and broken.
#include "files.hpp"

namespace onedge::data::test {
namespace {

Bytes header(std::uint32_t magic, std::vector<std::uint32_t> const& extents) {
  Bytes bytes;
  auto const add = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  add(magic);
  for (auto const extent : extents) add(extent);
  return bytes;
}

constexpr std::uint32_t count = 300;
constexpr std::uint32_t height = 5;
constexpr std::uint32_t width = 4;

std::uint8_t pixel(std::size_t i) { return static_cast<std::uint8_t>(i * 37 + i / 256); }

Bytes images() {
  auto bytes = header(0x803, {count, height, width});
  for (std::size_t i = 0; i < std::size_t{count} * height * width; ++i) bytes.push_back(pixel(i));
  return bytes;
}

Bytes labels() {
  auto bytes = header(0x801, {count});
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(i % 10));
  return bytes;
}

void expect_right(Source const& source) {
  EXPECT_EQ(source.description().samples, count);
  EXPECT_EQ(source.description().shape, (std::vector<std::size_t>{height, width, 1}));
  EXPECT_EQ(source.description().classes, 10U);
  for (std::size_t const first : {0U, 17U, 250U}) {
    auto const samples = source.read(first, 50);
    ASSERT_EQ(samples.pixels.size(), 50U * height * width);
    ASSERT_EQ(samples.labels.size(), 50U);
    EXPECT_EQ(samples.scale, 1.0 / 255.0);
    for (std::size_t i = 0; i < samples.pixels.size(); ++i) {
      ASSERT_EQ(samples.pixels[i], pixel(first * height * width + i)) << first << " " << i;
    }
    for (std::size_t i = 0; i < 50; ++i) ASSERT_EQ(samples.labels[i], static_cast<int>((first + i) % 10));
  }
  EXPECT_EQ(source.read(count, 0).labels.size(), 0U);
}

class Idx : public testing::Test {
 protected:
  std::unique_ptr<Source> open(Split split = Split::train) const {
    return make_source(config_of("mnist", folder.string()), split);
  }
  void refused(std::vector<std::string> const& parts) const {
    expect_input_error([this] { open()->read(0, count); }, parts);
  }

  Folder folder;
  std::filesystem::path image_path = folder / "train-images-idx3-ubyte";
  std::filesystem::path label_path = folder / "train-labels-idx1-ubyte";
  std::filesystem::path image_gz = folder / "train-images-idx3-ubyte.gz";
  std::filesystem::path label_gz = folder / "train-labels-idx1-ubyte.gz";
};

TEST_F(Idx, ReadsPlainFiles) {
  write(image_path, images());
  write(label_path, labels());
  expect_right(*open());
  EXPECT_FALSE(has_test_split(config_of("mnist", folder.string())));
}

TEST_F(Idx, ReadsCompressedFiles) {
  write_gz(image_gz, images());
  write_gz(label_path, labels());  // compressed under a plain name, too
  expect_right(*open());
}

TEST_F(Idx, ReadsTheTestSplit) {
  write_gz(folder / "t10k-images-idx3-ubyte.gz", images());
  write(folder / "t10k-labels-idx1-ubyte", labels());
  expect_right(*open(Split::test));
  EXPECT_TRUE(has_test_split(config_of("mnist", folder.string())));
}

TEST_F(Idx, ReadsCompressedFilesInSeveralParts) {
  auto const bytes = images();
  write_gz(folder / "a", {bytes.begin(), bytes.begin() + 1000});
  write_gz(folder / "b", {bytes.begin() + 1000, bytes.end()});
  std::ofstream(image_gz, std::ios::binary)
      << std::ifstream(folder / "a", std::ios::binary).rdbuf() << std::ifstream(folder / "b", std::ios::binary).rdbuf();
  write(label_path, labels());
  expect_right(*open());
}

TEST_F(Idx, RefusesMissingFiles) {
  refused({"data.path: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in " + folder.string()});
  write(image_path, images());
  refused({"no train-labels-idx1-ubyte"});
  std::filesystem::create_directory(label_path);
  refused({label_path.string(), "is a directory"});
}

TEST_F(Idx, RefusesTruncatedFiles) {
  write(label_path, labels());
  auto bytes = images();
  bytes.pop_back();
  write(image_path, bytes);
  refused({image_path.string(), "is truncated", "makes 6016 bytes, found 6015"});
  bytes.resize(10);
  write(image_path, bytes);
  refused({image_path.string(), "is truncated: 16 bytes are needed, found 10"});
  write(image_path, {});
  refused({image_path.string(), "is truncated: 4 bytes are needed, found 0"});
  write(image_path, images());
  bytes = labels();
  bytes.push_back(3);
  write(label_path, bytes);
  refused({label_path.string(), "is too long", "makes 308 bytes, found 309"});
}

TEST_F(Idx, RefusesCompressedFilesThatEndEarly) {
  write(label_path, labels());
  write_gz(image_gz, images());
  auto const size = std::filesystem::file_size(image_gz);
  for (auto const kept : {size - 1, size - 8, size / 2, std::uintmax_t{30}, std::uintmax_t{12}}) {
    write_gz(image_gz, images());
    std::filesystem::resize_file(image_gz, kept);
    refused({image_gz.string(), "is truncated"});
  }
  auto bytes = images();
  bytes.resize(bytes.size() - 500);  // whole as a .gz, but too short for its header
  write_gz(image_gz, bytes);
  refused({image_gz.string(), "is truncated", "found 5516"});
}

TEST_F(Idx, RefusesDamagedCompressedFiles) {
  write(label_path, labels());
  write_gz(image_gz, images());
  std::fstream file(image_gz, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(40);
  file.write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  file.close();
  refused({image_gz.string(), "damaged"});
}

/// The images as gzip packs them without compressing, so that any byte may be changed.
Bytes stored_images(std::filesystem::path const& path) {
  gzFile const file = gzopen(path.c_str(), "wb0");
  auto const bytes = images();
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return bytes_of(path);
}

TEST_F(Idx, ComparesChecksumsOfCompressedFilesWhateverIsUsedOfThem) {
  write(label_path, labels());
  auto const whole = stored_images(image_gz);
  EXPECT_EQ(open()->read(0, 1).pixels[0], pixel(0));
  auto const refused_with = [&](std::size_t at, std::string const& reason) {
    auto bytes = whole;
    bytes[at] ^= 1U;
    write(image_gz, bytes);
    expect_input_error([this] { open(); }, {image_gz.string(), "is damaged", reason});
  };
  refused_with(100, "incorrect data check");                // a pixel of the first image
  refused_with(whole.size() - 20, "incorrect data check");  // one of the last
  refused_with(whole.size() - 8, "incorrect data check");   // the checksum itself
  refused_with(whole.size() - 4, "incorrect length check");
  refused_with(whole.size() - 1, "incorrect length check");
}

TEST_F(Idx, LooksAtWhatFollowsCompressedData) {
  write(label_path, labels());
  auto const whole = stored_images(image_gz);
  auto const followed_by = [&](Bytes const& tail) {
    auto bytes = whole;
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    write(image_gz, bytes);
  };
  followed_by(Bytes(512, 0));  // gzip takes zeros for padding
  expect_right(*open());
  for (Bytes const& tail : {Bytes{7}, Bytes{0, 0, 7}, Bytes{'r', 'e', 's', 't'}}) {
    followed_by(tail);
    refused({image_gz.string(), "is damaged", "followed by something else"});
  }
  followed_by({0x1f});  // another member, cut short
  refused({image_gz.string(), "is truncated"});
  followed_by({0x1f, 'x', 'y'});
  refused({image_gz.string(), "is damaged"});
  // The checksum of the first of two members.
  auto const bytes = images();
  write_gz(folder / "a", {bytes.begin(), bytes.begin() + 1000});
  write_gz(folder / "b", {bytes.begin() + 1000, bytes.end()});
  auto both = bytes_of(folder / "a");
  both[both.size() - 6] ^= 1U;
  for (auto const byte : bytes_of(folder / "b")) both.push_back(byte);
  write(image_gz, both);
  refused({image_gz.string(), "incorrect data check"});
}

TEST_F(Idx, ReadsCompressedFilesOfAnyCompression) {
  // More than the pieces in which files are read, and so alike that a little input fills many of them.
  constexpr std::uint32_t side = 1000;
  auto bytes = header(0x803, {3, side, side});
  bytes.resize(bytes.size() + 3 * side * side, 7);
  bytes.back() = 8;
  write_gz(image_gz, bytes);
  auto few = header(0x801, {3});
  few.resize(few.size() + 3);
  write_gz(label_gz, few);
  auto const pixels = open()->read(2, 1).pixels;
  EXPECT_EQ(pixels.front(), 7);
  EXPECT_EQ(pixels.back(), 8);
  bytes.resize(bytes.size() - 1);
  write_gz(image_gz, bytes);
  refused({image_gz.string(), "is truncated", "found 3000015"});
}

TEST_F(Idx, RefusesTheWrongMagicNumber) {
  write(image_path, labels());
  write(label_path, labels());
  refused({image_path.string(), "starts with 0x00000801, expected 0x00000803"});
}

TEST_F(Idx, RefusesHeadersThatDisagree) {
  write(image_path, images());
  auto bytes = header(0x801, {7});
  bytes.resize(bytes.size() + 7);
  write(label_path, bytes);
  refused({label_path.string(), "holds 7 labels", "holds 300 images"});
  write(image_path, header(0x803, {count, 0, width}));
  refused({image_path.string(), "0 by 4"});
  write(image_path, header(0x803, {0xffffffff, 0xffffffff, 0xffffffff}));
  refused({image_path.string(), "4294967295 by 4294967295"});
}

TEST_F(Idx, RefusesLabelsOutOfRange) {
  write(image_path, images());
  auto bytes = labels();
  bytes[8 + 20] = 10;
  write(label_path, bytes);
  refused({"label 10 of sample 20 is outside 0 to 9"});
  EXPECT_NO_THROW(open()->read(0, 20));
}

TEST_F(Idx, RefusesRangesBeyondTheFile) {
  write(image_path, images());
  write(label_path, labels());
  auto const source = open();
  expect_input_error([&] { source->read(290, 11); }, {"samples 290 to 301", "there are 300"});
  EXPECT_THROW(source->read(301, 0), InputError);
  EXPECT_THROW(source->read(1, static_cast<std::size_t>(-1)), InputError);

  auto config = config_of("mnist", folder.string());
  EXPECT_EQ(sample_range(config, source->description()).count, count);
  config.first = 100;
  EXPECT_EQ(sample_range(config, source->description()).count, 200U);
  config.samples = 200;
  EXPECT_EQ(sample_range(config, source->description()).first, 100U);
  config.samples = 201;
  expect_input_error([&] { sample_range(config, source->description()); },
                     {"data.first + data.samples = 100 + 201", "300 samples", image_path.string()});
  config.first = 300;
  expect_input_error([&] { sample_range(config, source->description()); }, {"data.first: 300", "300 samples"});
}

TEST(FashionMnist, HasTheFirstLabelsOfThePackage) {
  DataConfig const config;
  if (!std::filesystem::exists(config.path)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().samples, 60000U);
  EXPECT_EQ(source->description().features(), 784U);
  auto const samples = source->read(0, 5);
  EXPECT_EQ(samples.labels, (std::vector<std::int32_t>{9, 0, 0, 3, 0}));
  auto const last = source->read(59999, 1);
  EXPECT_EQ(last.labels, (std::vector<std::int32_t>{5}));
  auto const test = make_source(config, Split::test);
  EXPECT_EQ(test->description().samples, 10000U);
  EXPECT_EQ(test->read(0, 4).labels, (std::vector<std::int32_t>{9, 2, 1, 1}));
}

}  // namespace
}  // namespace onedge::data::test
