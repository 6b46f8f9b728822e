#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/scratch.hpp"

namespace {

using namespace onedge;
using hdf5::ElementType;
using hdf5::File;
using hdf5::Layout;
using hdf5::Shape;
using test::message_of;
using test::ScratchFolder;

class Hdf5File : public testing::Test {
 protected:
  ScratchFolder folder;
  std::filesystem::path path = folder / "file.h5";
};

template <class T>
void expect_round_trip(std::filesystem::path const& path, std::vector<T> const& values) {
  hdf5::publish(path, [&](File& file) {
    file.write("plain", values);
    file.write("deep/er/extensible", std::span<T const>(values), {values.size() / 2, 2}, Layout::extensible);
    file.write("empty", std::vector<T>{}, Layout::extensible);
  });
  auto const file = File::open(path);
  EXPECT_EQ(file.read<T>("plain"), values);
  EXPECT_EQ(file.read<T>("deep/er/extensible"), values);
  EXPECT_EQ(file.dataset("deep/er/extensible").shape(), (Shape{values.size() / 2, 2}));
  EXPECT_EQ(file.dataset("deep/er/extensible").read_rows<T>(1, 1),
            std::vector<T>(values.begin() + 2, values.begin() + 4));
  EXPECT_TRUE(file.read<T>("empty").empty());
  EXPECT_EQ(file.dataset("empty").shape(), Shape{0});
}

TEST_F(Hdf5File, ArraysOfEveryTypeComeBackUnchanged) {
  expect_round_trip<double>(path, {0.1, -1e-300, std::numeric_limits<double>::infinity(), 3.0});
  expect_round_trip<float>(path, {0.1F, 1e-40F, -2.0F, 3.0F});
  expect_round_trip<std::int64_t>(path, {std::numeric_limits<std::int64_t>::min(), 0, 1, 9007199254740993});
  expect_round_trip<std::int32_t>(path, {-5, 0, 1, 2147483647});
  expect_round_trip<std::uint8_t>(path, {0, 1, 128, 255});
  expect_round_trip<std::string>(path, {"", "η = 2/λ", "two\nlines", std::string(70000, 'x')});
}

TEST_F(Hdf5File, RowsOfManyChunksAreReadWhereTheyLie) {
  std::vector<std::int64_t> values(3 * 10000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i);
  hdf5::publish(path, [&](File& file) {
    file.write("x", std::span<std::int64_t const>(values), {10000, 3}, Layout::extensible);
  });
  auto const dataset = File::open(path).dataset("x");
  auto const rows = dataset.read_rows<std::int64_t>(4090, 12);
  ASSERT_EQ(rows.size(), 36U);
  EXPECT_EQ(rows.front(), 3 * 4090);
  EXPECT_EQ(rows.back(), 3 * 4102 - 1);
  EXPECT_TRUE(dataset.read_rows<std::int64_t>(10000, 0).empty());
  EXPECT_NE(message_of<Error>([&] { dataset.read_rows<std::int64_t>(9999, 2); }).find("[10000, 3]"), std::string::npos);
}

TEST_F(Hdf5File, NumbersAreConvertedWhenAsked) {
  hdf5::publish(path, [&](File& file) { file.write("x", std::vector<std::uint8_t>{1, 255}); });
  auto const file = File::open(path);
  EXPECT_EQ(file.read<double>("x"), (std::vector<double>{1.0, 255.0}));
  EXPECT_EQ(file.dataset("x").element_type(), ElementType::integer);
  EXPECT_NE(message_of<Error>([&] { file.read<std::string>("x"); }).find("it holds numbers"), std::string::npos);
}

TEST_F(Hdf5File, AttributesComeBackUnchanged) {
  std::string const deck(200000, 'd');
  hdf5::publish(path, [&](File& file) {
    file.write_attribute("deck", deck);
    file.write_attribute("empty", std::string());
    file.write_attribute("samples", std::int64_t{9007199254740993});
    auto group = file.create_group("state");
    group.write_attribute("value", 0.1);
    group.write_attribute("nan", std::nan(""));
  });
  auto const file = File::open(path);
  EXPECT_EQ(file.attribute_names(), (std::vector<std::string>{"deck", "empty", "samples"}));
  EXPECT_EQ(file.attribute<std::string>("deck"), deck);
  EXPECT_EQ(file.attribute<std::string>("empty"), "");
  EXPECT_EQ(file.attribute<std::int64_t>("samples"), 9007199254740993);
  EXPECT_EQ(file.attribute_type("deck"), ElementType::text);
  EXPECT_EQ(file.group("state").attribute<double>("value"), 0.1);
  EXPECT_TRUE(std::isnan(file.group("state").attribute<double>("nan")));
  EXPECT_FALSE(file.has_attribute("value"));
  EXPECT_NE(message_of<Error>([&] { file.attribute<double>("deck"); }).find("it holds text"), std::string::npos);
  EXPECT_NE(message_of<Error>([&] { file.attribute<double>("other"); }).find("there is none"), std::string::npos);
}

TEST_F(Hdf5File, MembersAreFoundAndMissingOnesNamed) {
  hdf5::publish(path, [&](File& file) {
    file.write("b/kernel", std::vector<float>{1.0F});
    file.write("b/bias", std::vector<float>{1.0F});
    file.write("a", std::vector<float>{1.0F});
    EXPECT_NE(message_of<Error>([&] { file.write("a", std::vector<float>{2.0F}); }).find("/a"), std::string::npos);
    std::vector<float> const three(3);
    EXPECT_NE(message_of<Error>([&] { file.write<float>("c", three, {2, 2}); }).find("3 values"), std::string::npos);
  });
  auto const file = File::open(path);
  EXPECT_EQ(file.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file.dataset_paths(), (std::vector<std::string>{"a", "b/bias", "b/kernel"}));
  EXPECT_TRUE(file.has("b/kernel"));
  EXPECT_FALSE(file.has("b/none"));
  EXPECT_FALSE(file.has("none/kernel"));
  EXPECT_TRUE(file.is_group("b"));
  EXPECT_FALSE(file.is_group("a"));
  EXPECT_NE(message_of<Error>([&] { file.dataset("none/x"); }).find("file.h5:/none/x: there is none"),
            std::string::npos);
  EXPECT_NE(message_of<Error>([&] { file.group("a"); }).find("/a"), std::string::npos);
}

TEST_F(Hdf5File, WhatStandsInTheWayOfPublishingIsFoundWithoutWriting) {
  EXPECT_EQ(hdf5::obstacle_to_publish(path), "");
  EXPECT_TRUE(std::filesystem::is_empty(path.parent_path()));
  for (auto const& [name, reason] : {std::pair<std::string, char const*>{"none/file.h5", "No such file"},
                                     {std::string(300, 'x'), "File name too long"},
                                     {std::string(252, 'x'), "File name too long"},  // no room for .NAME.tmp
                                     {"folder", "Is a directory"}}) {
    std::filesystem::create_directory(folder / "folder");
    EXPECT_NE(hdf5::obstacle_to_publish(folder / name).find(reason), std::string::npos) << name;
    EXPECT_THROW(hdf5::publish(folder / name, [](File&) {}), Error) << name;
  }
}

TEST_F(Hdf5File, ShapesThatNoSizeHoldsAreRefused) {
  EXPECT_EQ(hdf5::size_of({std::size_t{1} << 40, 0, std::size_t{1} << 40}), 0U);
  EXPECT_THROW(hdf5::size_of({std::size_t{1} << 32, std::size_t{1} << 32}), Error);
}

TEST_F(Hdf5File, MissingForeignAndEmptyFilesAreNamed) {
  auto const failure = [&](std::string const& name) { return message_of<Error>([&] { File::open(folder / name); }); };
  EXPECT_NE(failure("none.h5").find("none.h5: no such file"), std::string::npos);
  EXPECT_NE(failure("").find("it is a folder"), std::string::npos);
  test::spit(folder / "foreign.h5", "run: {name: quickstart}\n");
  EXPECT_NE(failure("foreign.h5").find("foreign.h5: it is not an HDF5 file"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "pipe.h5").c_str(), 0600), 0);
  EXPECT_NE(failure("pipe.h5").find("it is no regular file"), std::string::npos);
  EXPECT_NE(failure(std::string(300, 'x')).find("File name too long"), std::string::npos);
  test::spit(folder / "empty.h5", "");
  EXPECT_NE(failure("empty.h5").find("empty.h5: "), std::string::npos);
}

TEST_F(Hdf5File, EveryTruncationIsAnError) {
  hdf5::publish(path, [&](File& file) { file.write("x", std::vector<double>(5000, 1.0), Layout::extensible); });
  auto const bytes = test::slurp(path);
  for (std::size_t length = 0; length < bytes.size(); length += 997) {
    test::spit(folder / "short.h5", bytes.substr(0, length));
    EXPECT_NE(message_of<Error>([&] { File::open(folder / "short.h5").read<double>("x"); }), "") << length;
  }
}

}  // namespace
