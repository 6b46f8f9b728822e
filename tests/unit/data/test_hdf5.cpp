// HDF5 files with x and y, written with HDF5's own interface.
#include <hdf5.h>

#include <numeric>

#include "files.hpp"

namespace onedge::data::test {
namespace {

using Extents = std::vector<hsize_t>;

class Hdf5File {
 public:
  explicit Hdf5File(std::filesystem::path const& path)
      : m_file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Hdf5File() { H5Fclose(m_file); }
  Hdf5File(Hdf5File const&) = delete;
  Hdf5File& operator=(Hdf5File const&) = delete;

  template <class T>
  void add(char const* name, hid_t file_type, hid_t memory_type, std::vector<T> const& values, Extents const& extents) {
    hid_t const space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
    hid_t const dataset = H5Dcreate2(m_file, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    H5Sclose(space);
  }
  void add_labels(char const* name, std::vector<int> const& values) {
    add(name, H5T_STD_I64LE, H5T_NATIVE_INT, values, {values.size()});
  }
  void add_floats(char const* name, std::vector<float> const& values, Extents const& extents) {
    add(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, extents);
  }

 private:
  hid_t m_file;
};

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
