// Folders of JPEG images: which files, in which order, under which labels; decoding, resizing and cropping; every way
// in which a folder can be wrong.
#include "../../../src/data/image.hpp"
#include "files.hpp"
#include "jpeg_file.hpp"

namespace onedge::data::test {
namespace {

/// A colour that survives JPEG: the same everywhere.
Bytes flat(std::size_t pixels, std::vector<int> const& colour) {
  Bytes result;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (int const value : colour) result.push_back(static_cast<std::uint8_t>(value));
  }
  return result;
}

void write_flat(std::filesystem::path const& path, std::size_t height, std::size_t width,
                std::vector<int> const& colour) {
  write_jpeg(path, height, width, colour.size(), flat(height * width, colour));
}

DataConfig images_config(Folder const& folder, std::int64_t size, std::int64_t resize) {
  auto config = config_of("images", folder.string());
  config.size = size;
  config.resize = resize;
  return config;
}

void expect_flat(HostSamples const& samples, std::size_t i, std::vector<int> const& colour) {
  std::size_t const features = samples.pixels.size() / samples.labels.size();
  for (std::size_t j = 0; j < features; ++j) {
    ASSERT_NEAR(samples.pixels[i * features + j], colour[j % 3], 2) << "sample " << i << " value " << j;
  }
}

TEST(Images, ReadsClassesAndFilesInAlphabeticalOrder) {
  Folder const folder;
  write_flat(folder / "train/zebra/a.jpg", 20, 30, {200, 10, 10});
  write_flat(folder / "train/ant/b.JPEG", 16, 16, {10, 200, 10});
  write_flat(folder / "train/ant/a.jpeg", 40, 17, {90});  // grey-scale
  write_flat(folder / "train/bee/x", 300, 200, {10, 10, 200});
  write(folder / "train/bee/.hidden", {1, 2, 3});
  write_flat(folder / "val/zebra/a.jpg", 20, 30, {1, 2, 3});
  write_flat(folder / "val/ant/a.jpg", 20, 30, {4, 5, 6});
  write_flat(folder / "val/bee/a.jpg", 20, 30, {7, 8, 9});
  auto const config = images_config(folder, 12, 14);
  EXPECT_TRUE(has_test_split(config));
  auto const source = make_source(config, Split::train);
  EXPECT_EQ(source->description().samples, 4U);
  EXPECT_EQ(source->description().classes, 3U);
  EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{12, 12, 3}));
  auto const all = source->read(0, 4);
  EXPECT_EQ(all.labels, (std::vector<std::int32_t>{0, 0, 1, 2}));
  EXPECT_EQ(source->labels(1, 3), (std::vector<std::int32_t>{0, 1, 2}));
  expect_flat(all, 0, {90, 90, 90});
  expect_flat(all, 1, {10, 200, 10});
  expect_flat(all, 2, {10, 10, 200});
  expect_flat(all, 3, {200, 10, 10});
  for (std::size_t first = 0; first < 4; ++first) {
    auto const one = source->read(first, 1);
    EXPECT_EQ(one.pixels, Bytes(all.pixels.begin() + 432 * first, all.pixels.begin() + 432 * (first + 1)));
  }
  auto const test = make_source(config, Split::test);
  EXPECT_EQ(test->description().samples, 3U);
  EXPECT_EQ(test->read(0, 3).labels, (std::vector<std::int32_t>{0, 1, 2}));
  expect_flat(test->read(0, 3), 2, {1, 2, 3});
}

TEST(Images, NeedNoSplits) {
  Folder const folder;
  write_flat(folder / "b/1.jpg", 8, 8, {1, 1, 1});
  write_flat(folder / "a/1.jpg", 8, 8, {9, 9, 9});
  auto const config = images_config(folder, 8, 0);
  EXPECT_FALSE(has_test_split(config));
  auto const source = make_source(config, Split::train);
  expect_flat(source->read(0, 2), 0, {9, 9, 9});
  // Labels are chosen without decoding.
  write(folder / "a/1.jpg", {0});
  auto chosen = config;
  chosen.labels = {1};
  EXPECT_EQ(make_source(chosen, Split::train)->read(0, 1).labels, (std::vector<std::int32_t>{0}));
}

TEST(Images, AreDecodedIntoTheirPlaces) {
  Folder const folder;
  for (int i = 0; i < 60; ++i) {
    write_flat(folder / (std::string(i < 30 ? "a" : "b") + "/" + std::to_string(100 + i) + ".jpg"), 9, 9,
               {i, 2 * i, 3 * i});
  }
  auto const samples = make_source(images_config(folder, 5, 5), Split::train)->read(7, 50);
  for (std::size_t i = 0; i < 50; ++i) {
    int const number = static_cast<int>(i) + 7;
    expect_flat(samples, i, {number, 2 * number, 3 * number});
  }
}

struct Resized {
  std::size_t height, width, shorter, size;
  std::vector<int> values;
};

// tests/reference/resize_values.py
std::vector<Resized> const reference{
    {9, 13, 5, 4, {157, 96,  99,  145, 109, 151, 117, 138, 93,  124, 133, 151, 147, 117, 139, 146,
                   141, 130, 128, 136, 135, 135, 131, 150, 128, 131, 101, 128, 135, 136, 176, 145,
                   100, 142, 109, 140, 120, 139, 137, 135, 131, 150, 143, 110, 139, 135, 90,  173}},
    {17, 7, 3, 3, {135, 120, 106, 118, 136, 139, 150, 132, 132, 114, 114, 144, 126, 130,
                   132, 95,  147, 115, 126, 139, 134, 138, 102, 111, 110, 107, 104}},
    {5, 4, 9, 8, {7,   90,  173, 17,  100, 175, 44,  127, 181, 71,  151, 179, 99,  158, 113, 126, 165, 47,  152, 107,
                  62,  179, 42,  89,  24,  107, 190, 35,  118, 173, 64,  147, 130, 93,  167, 91,  123, 124, 79,  152,
                  81,  67,  181, 65,  91,  210, 53,  120, 40,  123, 206, 53,  136, 176, 84,  167, 93,  115, 184, 25,
                  147, 102, 57,  178, 19,  88,  201, 37,  120, 222, 68,  151, 57,  140, 223, 70,  153, 193, 104, 187,
                  113, 138, 206, 48,  171, 126, 81,  205, 46,  115, 184, 65,  148, 156, 99,  182, 74,  157, 240, 88,
                  171, 211, 124, 207, 133, 160, 228, 70,  196, 151, 106, 231, 73,  141, 168, 94,  177, 90,  130, 213,
                  91,  174, 140, 105, 169, 131, 144, 156, 108, 175, 140, 92,  162, 117, 130, 148, 93,  168, 126, 123,
                  161, 102, 161, 147, 108, 191, 41,  123, 167, 52,  163, 104, 82,  191, 53,  114, 128, 83,  154, 65,
                  113, 195, 83,  152, 144, 114, 193, 81,  124, 207, 34,  140, 181, 50,  183, 110, 93,  211, 53,  130,
                  141, 96,  132, 69,  138, 133, 98,  145, 107, 141, 146, 77}},
};

TEST(Resize, AgreesWithPil) {
  for (auto const& wanted : reference) {
    Image image{wanted.height, wanted.width, {}};
    for (std::size_t y = 0; y < image.height; ++y) {
      for (std::size_t x = 0; x < image.width; ++x) {
        for (std::size_t c = 0; c < 3; ++c) {
          image.pixels.push_back(static_cast<std::uint8_t>(y * 37 + x * 59 + x * y * 11 + c * 83));
        }
      }
    }
    auto const found = resize_and_crop(image, wanted.shorter, wanted.size);
    ASSERT_EQ(found.height, wanted.size);
    ASSERT_EQ(found.width, wanted.size);
    ASSERT_EQ(found.pixels.size(), wanted.values.size());
    // PIL rounds to bytes between the two directions, we only at the end.
    for (std::size_t i = 0; i < wanted.values.size(); ++i) EXPECT_NEAR(found.pixels[i], wanted.values[i], 1) << i;
  }
}

TEST(Resize, CropsTheMiddleOfWhatItLeavesAsItIs) {
  Image image{5, 8, {}};
  for (std::uint8_t i = 0; i < 120; ++i) image.pixels.push_back(static_cast<std::uint8_t>(2 * i));
  for (std::size_t const shorter : {std::size_t{0}, std::size_t{5}}) {
    auto const found = resize_and_crop(image, shorter, 3);
    for (std::size_t y = 0; y < 3; ++y) {
      for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(found.pixels[9 * y + i], image.pixels[24 * (y + 1) + 6 + i]);
    }
  }
  EXPECT_EQ(resize_and_crop(Image{3, 3, Bytes(27, 255)}, 7, 7).pixels, Bytes(147, 255));
  EXPECT_THROW(resize_and_crop(image, 0, 6), Error);
}

TEST(Images, RefusesWrongFolders) {
  Folder const folder;
  auto const open = [&](Split split = Split::train) { make_source(images_config(folder, 8, 8), split); };
  expect_input_error([] { make_source(config_of("images", "/nowhere/at/all"), Split::train); },
                     {"data.path: /nowhere/at/all cannot be read"});
  expect_input_error([&] { open(); }, {"data.path", folder.string(), "no class folder"});
  write_flat(folder / "train/a/1.jpg", 8, 8, {1, 1, 1});
  expect_input_error([&] { open(); }, {"data.path", "/train holds one class folder only"});
  std::filesystem::create_directory(folder / "train/b");
  expect_input_error([&] { open(); }, {"/train/b is empty"});
  std::filesystem::create_directory(folder / "train/b/c");
  expect_input_error([&] { open(); }, {"/train/b/c is a folder among images"});
  std::filesystem::remove(folder / "train/b/c");
  write_flat(folder / "train/b/1.jpg", 8, 8, {1, 1, 1});
  write(folder / "train/notes.txt", {65});
  expect_input_error([&] { open(); }, {"/train/notes.txt is a file among class folders"});
  std::filesystem::remove(folder / "train/notes.txt");
  open();
  write_flat(folder / "val/a/1.jpg", 8, 8, {1, 1, 1});
  write_flat(folder / "val/c/1.jpg", 8, 8, {1, 1, 1});
  expect_input_error([&] { open(Split::test); }, {"/val/c has no counterpart in", "/train"});
  std::filesystem::rename(folder / "val/c", folder / "val/b");
  open(Split::test);
  write_flat(folder / "train/z/1.jpg", 8, 8, {1, 1, 1});
  expect_input_error([&] { open(Split::test); }, {"/train/z has no counterpart in", "/val"});
}

TEST(Images, RefusesWrongFiles) {
  Folder const folder;
  write_flat(folder / "a/1.jpg", 8, 8, {1, 1, 1});
  write_flat(folder / "b/1.jpg", 64, 64, {1, 1, 1});
  auto const source = make_source(images_config(folder, 8, 8), Split::train);
  auto const refuse = [&](Bytes const& bytes, std::vector<std::string> parts) {
    write(folder / "a/1.jpg", bytes);
    parts.push_back((folder / "a/1.jpg").string());
    expect_input_error([&] { source->read(0, 2); }, parts);
  };
  refuse({}, {"is no JPEG"});
  refuse({0x89, 'P', 'N', 'G', 13, 10, 26, 10}, {"is no JPEG"});
  refuse({0xff, 0xd8, 0xff}, {"is no JPEG image that can be read"});
  Bytes noise;
  for (int i = 0; i < 64 * 64 * 3; ++i) noise.push_back(static_cast<std::uint8_t>(i * i * 7 + i));
  write_jpeg(folder / ".whole.jpg", 64, 64, 3, noise);
  std::ifstream stream(folder / ".whole.jpg", std::ios::binary);
  Bytes whole{std::istreambuf_iterator<char>(stream), {}};
  refuse(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2)),
         {"cannot be decoded", "end of JPEG"});
  auto scribbled = whole;
  for (std::size_t i = whole.size() / 2; i < whole.size() / 2 + 20; ++i) scribbled[i] = 0xff;
  refuse(scribbled, {"cannot be decoded"});
  write_flat(folder / "a/1.jpg", 8, 8, {1, 2, 3, 4});
  expect_input_error([&] { source->read(0, 2); }, {"a/1.jpg", "cannot be decoded", "color"});
  write_flat(folder / "a/1.jpg", 7, 30, {1, 1, 1});
  auto const as_it_is = make_source(images_config(folder, 8, 0), Split::train);
  expect_input_error([&] { as_it_is->read(0, 2); }, {"a/1.jpg", "30 by 7 pixels", "data.size: 8", "data.resize"});
  std::filesystem::remove(folder / "a/1.jpg");
  expect_input_error([&] { source->read(0, 2); }, {"a/1.jpg", "cannot be opened"});
  // Of several failures the first file's is told.
  write(folder / "a/1.jpg", {1});
  write(folder / "b/1.jpg", {1});
  for (int i = 0; i < 20; ++i) expect_input_error([&] { source->read(0, 2); }, {"a/1.jpg"});
}

}  // namespace
}  // namespace onedge::data::test
