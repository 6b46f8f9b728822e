// HDF5 files with x and y, written with HDF5's own interface.
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "files.hpp"
#include "hdf5_file.hpp"

namespace onedge::data::test {
namespace {

class Hdf5 : public testing::Test {
 protected:
  std::unique_ptr<Source> open(Split split = Split::train, std::int64_t classes = 0) const {
    auto config = config_of("hdf5", path.string());
    config.classes = classes;
    return make_source(config, split);
  }
  void refused(std::vector<std::string> const& parts, std::int64_t classes = 0, Split split = Split::train) const {
    expect_input_error([&] { open(split, classes)->read(0, 1); }, parts);
  }

  Folder folder;
  std::filesystem::path path = folder / "set.h5";
};

TEST_F(Hdf5, KeepsBytesAndTheShapeOfSamples) {
  std::vector<std::uint8_t> pixels(6 * 2 * 2 * 3);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  {
    Hdf5File file(path);
    file.add("x", H5T_STD_U8LE, H5T_NATIVE_UINT8, pixels, {6, 2, 2, 3});
    file.add_labels("y", {0, 3, 1, 2, 0, 1});
  }
  auto const source = open();
  EXPECT_EQ(source->description().samples, 6U);
  EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{2, 2, 3}));
  EXPECT_EQ(source->description().classes, 4U);
  auto const samples = source->read(2, 3);
  EXPECT_EQ(samples.pixels, std::vector<std::uint8_t>(pixels.begin() + 24, pixels.begin() + 60));
  EXPECT_TRUE(samples.reals.empty());
  EXPECT_EQ(samples.scale, 1.0 / 255.0);
  EXPECT_EQ(samples.labels, (std::vector<std::int32_t>{1, 2, 0}));
  EXPECT_EQ(open(Split::train, 7)->description().classes, 7U);
  EXPECT_THROW(source->read(4, 3), InputError);
}

TEST_F(Hdf5, ReadsOtherNumbersAsTheyAre) {
  {
    Hdf5File file(path);
    file.add_floats("x", {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f}, {3, 2});
    file.add_labels("y", {0, 1, 2});
    file.add("x_test", H5T_STD_I16BE, H5T_NATIVE_INT, std::vector<int>{-7, 300}, {1, 2});
    file.add_labels("y_test", {1});
  }
  auto const samples = open()->read(1, 2);
  EXPECT_EQ(samples.reals, (std::vector<double>{2.5, 3.5, 4.5, 5.5}));
  EXPECT_TRUE(samples.pixels.empty());
  EXPECT_TRUE(has_test_split(config_of("hdf5", path.string())));
  auto const test = open(Split::test);
  EXPECT_EQ(test->description().classes, 3U);
  EXPECT_EQ(test->read(0, 1).reals, (std::vector<double>{-7.0, 300.0}));
}

TEST_F(Hdf5, TakesARowOfNumbersForSamplesOfOneValue) {
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f, 3.0f}, {3});
    file.add_labels("y", {0, 1, 0});
  }
  EXPECT_EQ(open()->description().shape, (std::vector<std::size_t>{1}));
  EXPECT_EQ(open()->read(1, 2).reals, (std::vector<double>{2.0, 3.0}));
  EXPECT_FALSE(has_test_split(config_of("hdf5", path.string())));
}

TEST_F(Hdf5, RefusesFilesThatAreNone) {
  refused({"data.path: there is no file " + path.string()});
  write(path, {'n', 'o', 'p', 'e'});
  refused({path.string()});
  {
    Hdf5File file(path);
    file.add_floats("x", std::vector<float>(4096), {4096, 1});
    file.add_labels("y", std::vector<int>(4096));
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  refused({path.string()});
}

TEST_F(Hdf5, RefusesMissingAndUnfittingDatasets) {
  { Hdf5File(path).add_labels("y", {0, 1}); }
  refused({path.string(), "has no dataset x"});
  { Hdf5File(path).add_floats("x", {1.0f, 2.0f}, {2, 1}); }
  refused({path.string(), "has no dataset y"});
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f}, {2, 1});
    file.add_labels("y", {0, 1, 1});
  }
  refused({"has the shape [3], expected [2]"});
  refused({"has no dataset x_test"}, 2, Split::test);
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f}, {2, 1});
    file.add_floats("y", {0.0f, 1.0f}, {2});
  }
  refused({"/y", "does not hold integers"});
  {
    Hdf5File file(path);
    file.add("x", H5T_C_S1, H5T_C_S1, std::vector<char>{'a', 'b'}, {2, 1});
    file.add_labels("y", {0, 1});
  }
  refused({"/x", "does not hold numbers"});
}

TEST_F(Hdf5, TakesImagesInEitherOrderOfTheirAxes) {
  std::vector<std::uint8_t> pixels(2 * 5 * 4 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  // [sample, row, column, channel] → [sample, channel, row, column]
  std::vector<std::uint8_t> turned(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    std::size_t const channel = i % 3, place = i / 3 % 20, sample = i / 60;
    turned[sample * 60 + channel * 20 + place] = pixels[i];
  }
  auto config = config_of("hdf5", path.string());
  config.layout = "nchw";
  for (auto const type : {H5T_STD_U8LE, H5T_IEEE_F64BE}) {
    {
      Hdf5File file(path);
      file.add("x", type, H5T_NATIVE_UINT8, turned, {2, 3, 5, 4});
      file.add_labels("y", {0, 1});
      file.add("x_test", type, H5T_NATIVE_UINT8, turned, {2, 3, 5, 4});
      file.add_labels("y_test", {0, 1});
    }
    for (auto const split : {Split::train, Split::test}) {
      auto const source = make_source(config, split);
      EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{5, 4, 3}));
      EXPECT_TRUE(source->warnings().empty());
      for (std::size_t first : {0U, 1U}) {
        auto const samples = source->read(first, 2 - first);
        auto const begin = pixels.begin() + static_cast<std::ptrdiff_t>(first * 60);
        if (type == H5T_STD_U8LE) {
          EXPECT_EQ(samples.pixels, std::vector<std::uint8_t>(begin, pixels.end()));
        } else {
          EXPECT_EQ(samples.reals, std::vector<double>(begin, pixels.end()));
        }
      }
    }
  }
}

TEST_F(Hdf5, TakesImagesWithoutChannelsForOnesOfOneChannel) {
  auto config = config_of("hdf5", path.string());
  for (auto const* layout : {"nhwc", "nchw"}) {
    {
      Hdf5File file(path);
      file.add_floats("x", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3, 2});
      file.add_labels("y", {0, 1});
    }
    config.layout = layout;
    auto const source = make_source(config, Split::train);
    EXPECT_EQ(source->description().shape, (std::vector<std::size_t>{3, 2, 1}));
    EXPECT_EQ(source->read(1, 1).reals, (std::vector<double>{7, 8, 9, 10, 11, 12}));
    EXPECT_NE(to_string(source->description()).find("3 × 2 pixels × 1 channel, float32"), std::string::npos);
  }
  config.standardize = "channel";
  EXPECT_NE(make_source(config, Split::train)->warnings().texts().at(0).find("images of one channel"),
            std::string::npos);
  {
    Hdf5File file(path);
    file.add_floats("x", {1, 2, 3, 4}, {2, 2});
    file.add_labels("y", {0, 1});
  }
  expect_input_error([&] { make_source(config, Split::train); }, {"data.layout: nchw is for images", "/x", "[2, 2]"});
}

TEST_F(Hdf5, WarnsWhereChannelsSeemToBeASide) {
  auto config = config_of("hdf5", path.string());
  auto const warns = [&](Extents const& shape, char const* layout) {
    {
      Hdf5File file(path);
      file.add_floats("x", std::vector<float>(2 * shape[0] * shape[1] * shape[2]), {2, shape[0], shape[1], shape[2]});
      file.add_labels("y", {0, 1});
    }
    config.layout = layout;
    auto const texts = make_source(config, Split::train)->warnings().texts();
    if (texts.empty()) return std::string();
    EXPECT_EQ(texts.size(), 1U);
    return texts[0];
  };
  for (Extents const& shape : {Extents{3, 32, 32}, {1, 28, 28}, {3, 48, 32}, {3, 32, 48}, {2, 3, 4}, {4, 4, 64}}) {
    auto const text = warns(shape, "nhwc");
    for (auto const& part : {path.string() + ":/x", std::string("data.layout: nchw"),
                             concat(shape[0], " × ", shape[1], " pixels × ", shape[2], " channels")}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
    EXPECT_EQ(warns(shape, "nchw"), "");
  }
  for (Extents const& shape : {Extents{32, 32, 3}, {28, 28, 1}, {8, 8, 8}, {2, 2, 1}, {1, 1, 1}, {1, 5, 3}}) {
    EXPECT_EQ(warns(shape, "nhwc"), "");
  }
  EXPECT_NE(warns({32, 32, 3}, "nchw").find("32 × 3 pixels × 32 channels; if that is wrong, set data.layout: nhwc"),
            std::string::npos);
}

TEST_F(Hdf5, WarnsOfIntegersThatAreNotScaled) {
  auto config = config_of("hdf5", path.string());
  auto const write_types = [&](hid_t train, hid_t test) {
    Hdf5File file(path);
    file.add("x", train, H5T_NATIVE_INT, std::vector<int>{1, 200}, {2, 1});
    file.add_labels("y", {0, 1});
    file.add("x_test", test, H5T_NATIVE_INT, std::vector<int>{1, 200}, {2, 1});
    file.add_labels("y_test", {0, 1});
  };
  auto const texts = [&](Split split) { return make_source(config, split)->warnings().texts(); };
  for (auto const& [type, name] : std::vector<std::pair<hid_t, std::string>>{
           {H5T_STD_I64LE, "int64"}, {H5T_STD_U16BE, "uint16"}, {H5T_STD_I32LE, "int32"}, {H5T_STD_U64LE, "uint64"}}) {
    write_types(type, type);
    ASSERT_EQ(texts(Split::train).size(), 1U) << name;
    EXPECT_NE(texts(Split::train)[0].find(":/x: holds " + name + ", which is used as it is"), std::string::npos);
    EXPECT_TRUE(texts(Split::test).empty());
    EXPECT_EQ(make_source(config, Split::train)->read(0, 2).reals, (std::vector<double>{1, 200}));
  }
  config.standardize = "pixel";
  EXPECT_TRUE(texts(Split::train).empty());
  config.standardize = "none";
  write_types(H5T_STD_U8LE, H5T_IEEE_F32LE);
  EXPECT_TRUE(texts(Split::train).empty());
  ASSERT_EQ(texts(Split::test).size(), 1U);
  EXPECT_NE(texts(Split::test)[0].find("x holds uint8, but x_test float32"), std::string::npos);
}

TEST_F(Hdf5, RefusesWhatIsNoFiniteNumber) {
  for (auto const& [value, name] :
       std::vector<std::pair<float, std::string>>{{NAN, "NaN"}, {INFINITY, "infinity"}, {-INFINITY, "infinity"}}) {
    {
      Hdf5File file(path);
      file.add_floats("x", {1, 2, 3, 4, 5, value, 7, 8}, {4, 2});
      file.add_labels("y", {0, 1, 0, 1});
      file.add_floats("x_test", {1, value}, {1, 2});
      file.add_labels("y_test", {0});
    }
    EXPECT_EQ(open()->read(0, 2).reals.size(), 4U);
    expect_input_error([&] { open()->read(1, 3); }, {path.string() + ":/x: sample 2 holds " + name});
    expect_input_error([&] { open(Split::test)->read(0, 1); }, {path.string() + ":/x_test: sample 0 holds " + name});
    // Of a selection, too, where samples count in the file; others may hold what they like.
    auto config = config_of("hdf5", path.string());
    config.labels = {0};
    expect_input_error([&] { make_source(config, Split::train)->read(1, 1); }, {path.string() + ":/x: sample 2 holds"});
    config.labels = {1};
    EXPECT_EQ(make_source(config, Split::train)->read(0, 2).reals, (std::vector<double>{3, 4, 7, 8}));
  }
}

TEST_F(Hdf5, PrintsLabelsOfEveryTypeAsTheyAre) {
  auto const refuse_label = [&](hid_t type, auto label, std::string const& text) {
    using T = decltype(label);
    {
      Hdf5File file(path);
      file.add_floats("x", {1.0f, 2.0f}, {2, 1});
      auto const native = std::is_unsigned_v<T> ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
      file.add("y", type, native, std::vector<T>{0, label}, {2});
    }
    refused({path.string() + ":/y: label " + text + " of sample 1 is outside 0 to 9"}, 10);
  };
  refuse_label(H5T_STD_U64LE, (std::uint64_t{1} << 63) + 1, "9223372036854775809");
  refuse_label(H5T_STD_U64BE, ~std::uint64_t{0}, "18446744073709551615");
  refuse_label(H5T_STD_U32LE, std::uint64_t{4294967295}, "4294967295");
  refuse_label(H5T_STD_U16BE, std::uint64_t{65535}, "65535");
  refuse_label(H5T_STD_U8LE, std::uint64_t{255}, "255");
  refuse_label(H5T_STD_I64LE, std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
  refuse_label(H5T_STD_I64BE, std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
  refuse_label(H5T_STD_I32LE, std::int64_t{-2147483648}, "-2147483648");
  refuse_label(H5T_STD_I8LE, std::int64_t{-1}, "-1");
  refuse_label(H5T_STD_I8LE, std::int64_t{10}, "10");
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f}, {2, 1});
    file.add("y", H5T_STD_U64LE, H5T_NATIVE_UINT64, std::vector<std::uint64_t>{3, std::uint64_t{1} << 31}, {2});
  }
  refused({"label 2147483648 of sample 1 is outside 0 to 2147483646"});
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f}, {2, 1});
    file.add("y", H5T_STD_U64LE, H5T_NATIVE_UINT64, std::vector<std::uint64_t>{3, 7}, {2});
  }
  EXPECT_EQ(open()->description().classes, 8U);
  EXPECT_EQ(open()->read(0, 2).labels, (std::vector<std::int32_t>{3, 7}));
}

TEST_F(Hdf5, RefusesLabelsOutOfRange) {
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f, 3.0f}, {3, 1});
    file.add_labels("y", {0, 1, 5});
    file.add_floats("x_test", {1.0f}, {1, 1});
    file.add_labels("y_test", {6});
  }
  refused({"label 5 of sample 2 is outside 0 to 4"}, 5);
  EXPECT_NO_THROW(open(Split::train, 6));
  refused({"y_test", "label 6 of sample 0 is outside 0 to 5"}, 0, Split::test);
  {
    Hdf5File file(path);
    file.add_floats("x", {1.0f, 2.0f}, {2, 1});
    file.add_labels("y", {0, -1});
  }
  refused({"label -1 of sample 1"});
}

}  // namespace
}  // namespace onedge::data::test
