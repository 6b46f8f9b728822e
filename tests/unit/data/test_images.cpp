// Folders of JPEG images: which files, in which order, under which labels; decoding, resizing and cropping; every way
// in which a folder can be wrong.
#include <algorithm>

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

/// Where a pattern begins.
std::size_t find(Bytes const& bytes, Bytes const& pattern) {
  auto const found = std::search(bytes.begin(), bytes.end(), pattern.begin(), pattern.end());
  EXPECT_NE(found, bytes.end());
  return static_cast<std::size_t>(found - bytes.begin());
}

/// A folder of three images: a/1, a/2, b/1.
struct SmallSet {
  SmallSet() {
    for (auto const* name : {"a/1.jpg", "a/2.jpg", "b/1.jpg"}) write_flat(folder / name, 8, 8, {10, 100, 200});
  }
  std::unique_ptr<Source> open() const { return make_source(images_config(folder, 8, 0), Split::train); }
  Folder folder;
};

TEST(Images, AreReadDespiteWhatLibjpegOnlyWarnsOf) {
  SmallSet const set;
  auto const plain = set.open()->read(0, 3).pixels;
  auto const path = set.folder / "a/2.jpg";
  auto const whole = bytes_of(path);
  auto const read_all_the_same = [&](Bytes const& bytes, std::string const& reason) {
    write(path, bytes);
    auto const source = set.open();
    EXPECT_EQ(source->read(0, 3).pixels, plain) << reason;
    auto const texts = source->warnings().texts();
    ASSERT_EQ(texts.size(), 1U) << reason;
    for (auto const& part :
         {set.folder.string() + ": odd images", std::string(": 1, the first " + path.string()), reason}) {
      EXPECT_NE(texts[0].find(part), std::string::npos) << texts[0];
    }
  };
  auto version = whole;
  version[find(whole, {'J', 'F', 'I', 'F', 0}) + 5] = 0;
  read_all_the_same(version, "JFIF revision number 0");
  auto longer = whole;
  longer.insert(longer.end() - 2, 99, 0);
  read_all_the_same(longer, "extraneous bytes before marker 0xd9");
  auto between = whole;
  between.insert(between.begin() + static_cast<std::ptrdiff_t>(find(whole, {0xff, 0xdb})), 5, 0);
  read_all_the_same(between, "5 extraneous bytes");
  // Of two such images the first is named.
  write(set.folder / "a/1.jpg", version);
  write(path, longer);
  auto const source = set.open();
  source->read(0, 3);
  auto const texts = source->warnings().texts();
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_NE(texts[0].find(": 2, the first " + (set.folder / "a/1.jpg").string()), std::string::npos) << texts[0];
}

TEST(Images, WithKeyBecomeRgb) {
  SmallSet const set;
  // Stored as Adobe does, 255 - C, so that the colours are those of red, green and blue in the light that the key
  // leaves.
  std::vector<int> const colour{200, 100, 30, 180};
  for (bool const ycck : {false, true}) {
    for (bool const adobe : {false, true}) {
      if (ycck && !adobe) continue;  // nothing says then that it is YCCK
      JpegOptions options;
      options.ycck = ycck;
      options.adobe = adobe;
      write_jpeg(set.folder / "a/2.jpg", 8, 8, 4, flat(64, colour), options);
      auto const source = set.open();
      expect_flat(source->read(0, 3), 1, {200 * 180 / 255, 100 * 180 / 255, 30 * 180 / 255});
      EXPECT_EQ(source->warnings().empty(), adobe);
    }
  }
}

TEST(Images, OfEveryProcessAreRead) {
  SmallSet const set;
  JpegOptions options;
  options.progressive = true;
  write_jpeg(set.folder / "a/1.jpg", 8, 8, 3, flat(64, {10, 100, 200}), options);
  options.arithmetic = true;
  write_jpeg(set.folder / "a/2.jpg", 8, 8, 3, flat(64, {10, 100, 200}), options);
  auto const source = set.open();
  auto const samples = source->read(0, 3);
  for (std::size_t i = 0; i < 3; ++i) expect_flat(samples, i, {10, 100, 200});
  EXPECT_TRUE(source->warnings().empty());
}

/// A segment APP1 with an orientation, behind another entry.
Bytes exif(bool is_big, std::uint8_t orientation, std::uint8_t type = 3) {
  Bytes bytes{'E', 'x', 'i', 'f', 0, 0};
  auto const add = [&](std::size_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      bytes.push_back(static_cast<std::uint8_t>(value >> (8 * (is_big ? size - 1 - i : i))));
    }
  };
  for (int i = 0; i < 2; ++i) bytes.push_back(is_big ? 'M' : 'I');
  add(42, 2);
  add(8, 4);
  add(2, 2);
  for (std::size_t const tag : {std::size_t{0x010f}, std::size_t{0x0112}}) {
    add(tag, 2);
    add(type, 2);
    add(1, 4);
    add(orientation, type == 4 ? 4 : 2);
    if (type != 4) add(0, 2);
  }
  add(0, 4);
  return bytes;
}

TEST(Exif, OrientationIsRead) {
  for (bool const is_big : {false, true}) {
    for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
      EXPECT_EQ(exif_orientation(exif(is_big, orientation)), orientation);
      EXPECT_EQ(exif_orientation(exif(is_big, orientation, 4)), orientation);
    }
    EXPECT_EQ(exif_orientation(exif(is_big, 0)), 1);
    EXPECT_EQ(exif_orientation(exif(is_big, 9)), 1);
    EXPECT_EQ(exif_orientation(exif(is_big, 6, 2)), 1);  // no number
    auto const whole = exif(is_big, 6);
    for (std::size_t size = 0; size < whole.size() - 8; ++size) {
      EXPECT_EQ(exif_orientation(std::span(whole).first(size)), 1) << size;
    }
    auto far = whole;  // a directory beyond the end
    for (std::size_t i = 10; i < 14; ++i) far[i] = 0xff;
    EXPECT_EQ(exif_orientation(far), 1);
  }
}

TEST(Images, SayOnceThatOrientationsAreIgnored) {
  SmallSet const set;
  auto const plain = set.open()->read(0, 3).pixels;
  JpegOptions options;
  options.app1 = exif(true, 1);
  write_jpeg(set.folder / "a/1.jpg", 8, 8, 3, flat(64, {10, 100, 200}), options);
  auto const upright = set.open();
  upright->read(0, 3);
  EXPECT_TRUE(upright->warnings().empty());
  options.app1 = exif(false, 6);
  for (auto const* name : {"a/2.jpg", "b/1.jpg"}) {
    write_jpeg(set.folder / name, 8, 8, 3, flat(64, {10, 100, 200}), options);
  }
  auto const source = set.open();
  EXPECT_EQ(source->read(0, 3).pixels, plain);
  EXPECT_EQ(source->warnings().texts(),
            (std::vector<std::string>{set.folder.string() +
                                      ": images that EXIF asks to turn or mirror, which is ignored: 2, the first " +
                                      (set.folder / "a/2.jpg").string() + ": orientation 6"}));
}

TEST(Images, AreNotDecodedUnlessTheyAreUsed) {
  SmallSet const set;
  write_flat(set.folder / "c/1.jpg", 8, 8, {1, 2, 3});
  write(set.folder / "b/1.jpg", {1});
  auto config = images_config(set.folder, 8, 0);
  config.labels = {0, 2};
  EXPECT_EQ(make_source(config, Split::train)->read(0, 3).labels, (std::vector<std::int32_t>{0, 0, 1}));
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
  auto const whole = bytes_of(folder / ".whole.jpg");
  refuse(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2)),
         {"cannot be decoded", "end of JPEG"});
  refuse(Bytes(whole.begin(), whole.end() - 2), {"cannot be decoded", "end of JPEG"});
  auto scribbled = whole;
  for (std::size_t i = whole.size() / 2; i < whole.size() / 2 + 20; ++i) scribbled[i] = 0xff;
  refuse(scribbled, {"cannot be decoded"});
  auto deep = whole;
  deep[find(whole, {0xff, 0xc0}) + 4] = 12;
  refuse(deep, {"precision 12"});
  auto lossless = whole;
  lossless[find(whole, {0xff, 0xc0}) + 1] = 0xc3;
  refuse(lossless, {"is no JPEG image that can be read", "SOF type 0xc3"});
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
