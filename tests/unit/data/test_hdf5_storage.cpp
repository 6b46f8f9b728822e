// HDF5 datasets whose values lie elsewhere, or nowhere: what HDF5 itself would fill in is refused.
#include <array>

#include "files.hpp"
#include "hdf5_file.hpp"

namespace onedge::data::test {
namespace {

using Floats = std::vector<float>;

/// Where a dataset lies in another.
struct Piece {
  std::string file, dataset;
  hsize_t first, rows;
};

class Hdf5Storage : public testing::Test {
 protected:
  void write_half(std::string const& name, Floats const& values) {
    Hdf5File(folder / name).add_floats("x", values, {values.size() / 2, 2});
  }
  /// x [rows, 2], made of pieces.
  void write_virtual(std::string const& name, hsize_t rows, std::vector<Piece> const& pieces) {
    std::array<hsize_t, 2> const all{rows, 2};
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t const space = H5Screate_simple(2, all.data(), nullptr);
    for (auto const& piece : pieces) {
      std::array<hsize_t, 2> const begin{piece.first, 0}, size{piece.rows, 2};
      H5Sselect_hyperslab(space, H5S_SELECT_SET, begin.data(), nullptr, size.data(), nullptr);
      hid_t const source = H5Screate_simple(2, size.data(), nullptr);
      H5Pset_virtual(creation, space, piece.file.c_str(), piece.dataset.c_str(), source);
      H5Sclose(source);
    }
    H5Sclose(space);
    Hdf5File file(folder / name);
    if (name == "set.h5") file.add_labels("y", std::vector<int>(rows, 1));
    file.add_floats("x", {}, {rows, 2}, creation);
    H5Pclose(creation);
  }
  /// x [2, 2] out of raw files.
  void write_external(std::vector<std::pair<std::string, hsize_t>> const& files) {
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    for (auto const& [file, size] : files) H5Pset_external(creation, file.c_str(), 0, size);
    Hdf5File file(path);
    file.add_labels("y", {0, 1});
    file.add_floats("x", {}, {2, 2}, creation);
    H5Pclose(creation);
  }
  std::unique_ptr<Source> open() const { return make_source(config_of("hdf5", path.string()), Split::train); }
  void refused(std::vector<std::string> parts) const {
    parts.push_back(path.string() + ":/x");
    expect_input_error([&] { open(); }, parts);
  }

  Folder folder;
  std::filesystem::path path = folder / "set.h5";
};

TEST_F(Hdf5Storage, ReadsVirtualDatasets) {
  write_half("a.h5", {1, 2, 3, 4});
  write_half("b.h5", {5, 6});
  write_virtual("set.h5", 3, {{"a.h5", "x", 0, 2}, {(folder / "b.h5").string(), "/x", 2, 1}});
  EXPECT_EQ(open()->read(1, 2).reals, (std::vector<double>{3, 4, 5, 6}));
  // Of virtual ones, and of the same file.
  write_virtual("c.h5", 3, {{"a.h5", "x", 0, 2}, {"b.h5", "x", 2, 1}});
  write_virtual("set.h5", 3, {{"c.h5", "x", 0, 3}});
  EXPECT_EQ(open()->read(0, 3).reals, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  std::filesystem::remove(folder / "b.h5");
  refused({"whose source is c.h5:x", "its source b.h5:x", "cannot be opened"});
}

TEST_F(Hdf5Storage, RefusesVirtualDatasetsWithoutASource) {
  write_half("a.h5", {1, 2, 3, 4});
  std::vector<Piece> const pieces{{"a.h5", "x", 0, 2}, {"gone.h5", "x", 2, 2}};
  write_virtual("set.h5", 4, pieces);
  refused({"is a virtual dataset", "its source gone.h5:x cannot be opened"});
  auto config = config_of("hdf5", path.string());
  config.samples = 2;  // not even of these
  expect_input_error([&] { make_source(config, Split::train); }, {"gone.h5"});
  Hdf5File(folder / "gone.h5").add_floats("z", {1, 2, 3, 4}, {2, 2});
  refused({"its source gone.h5:x is not there"});
  write(folder / "gone.h5", {'n', 'o'});
  refused({"its source gone.h5:x cannot be opened"});
  Hdf5File(folder / "gone.h5").add_floats("x", {}, {2, 2});
  refused({"whose source is gone.h5:x: its values were never written"});
  write_half("gone.h5", {5, 6, 7, 8});
  EXPECT_EQ(open()->read(3, 1).reals, (std::vector<double>{7, 8}));
  write_half("gone.h5", {5, 6});  // fewer rows than are mapped
  refused({"its source gone.h5:x is smaller than the part that is taken from it"});
  write_virtual("set.h5", 5, {{"a.h5", "x", 0, 2}});
  refused({"of which no source has a part"});
  write_virtual("set.h5", 2, {{".", "x", 0, 2}});
  refused({"leads to itself"});
}

TEST_F(Hdf5Storage, ReadsSequencesUpToTheFirstMissingSource) {
  for (auto const* name : {"part_0.h5", "part_1.h5", "part_2.h5"}) write_half(name, {1, 2, 3, 4});
  {
    std::array<hsize_t, 2> const all{2, 2}, most{H5S_UNLIMITED, 2}, begin{0, 0}, stride{2, 1}, count{H5S_UNLIMITED, 1};
    hid_t const space = H5Screate_simple(2, all.data(), most.data());
    hid_t const source = H5Screate_simple(2, all.data(), nullptr);
    hid_t const whole = H5Scopy(space);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, begin.data(), stride.data(), count.data(), all.data());
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(creation, space, "part_%b.h5", "x", source);
    Hdf5File file(path);
    file.add_labels("y", {0, 1, 0, 1, 0, 1});
    file.add_on("x", H5T_IEEE_F32LE, whole, creation);
    for (hid_t const each : {space, source, whole}) H5Sclose(each);
    H5Pclose(creation);
  }
  EXPECT_EQ(open()->read(4, 2).reals, (std::vector<double>{1, 2, 3, 4}));
  std::filesystem::remove(folder / "part_1.h5");
  // HDF5 ends the sequence there.
  expect_input_error([&] { open(); }, {path.string() + ":/y: has the shape [6], expected [2]"});
}

TEST_F(Hdf5Storage, RefusesExternalFilesThatAreMissingOrShort) {
  auto const first = (folder / "first.raw").string(), second = (folder / "second.raw").string();
  write_external({{first, 8}, {second, H5F_UNLIMITED}});
  refused({first, "cannot be read: No such file"});
  Floats const values{1, 2, 3, 4};
  auto const* const bytes = reinterpret_cast<std::uint8_t const*>(values.data());
  write(first, Bytes(bytes, bytes + 8));
  refused({second, "cannot be read"});
  write(second, Bytes(bytes + 8, bytes + 15));
  refused({second, "is truncated: 8 bytes are needed, found 7"});
  write(second, Bytes(bytes + 8, bytes + 16));
  EXPECT_EQ(open()->read(0, 2).reals, (std::vector<double>{1, 2, 3, 4}));
}

TEST_F(Hdf5Storage, KnowsWhatWasNeverWritten) {
  for (bool const is_chunked : {false, true}) {
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    std::array<hsize_t, 2> const chunk{2, 2};
    if (is_chunked) H5Pset_chunk(creation, 2, chunk.data());
    {
      Hdf5File file(path);
      file.add_labels("y", {0, 1, 0});
      file.add_floats("x", {}, {3, 2}, creation);
    }
    refused({"its values were never written"});
    H5Pclose(creation);
  }
  {
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    std::array<hsize_t, 1> const chunk{2};
    H5Pset_chunk(creation, 1, chunk.data());
    H5Pset_deflate(creation, 6);
    Hdf5File file(path);
    file.add_floats("x", {1, 2, 3}, {3, 1});
    file.add("y", H5T_STD_I32LE, H5T_NATIVE_INT, std::vector<int>{1, 0, 1}, {3}, creation);
    H5Pclose(creation);
  }
  EXPECT_TRUE(open()->warnings().empty());
  {
    Hdf5File file(path);
    file.add_floats("x", {1, 2, 3, 4, 5}, {5, 1});
    file.add_part("y", {1, 0}, 5);
  }
  auto const texts = open()->warnings().texts();
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_NE(texts[0].find(":/y: was not written in full: 2 chunks are read as the fill value"), std::string::npos);
}

std::size_t copy(unsigned, std::size_t, unsigned const*, std::size_t bytes, std::size_t*, void**) { return bytes; }

TEST_F(Hdf5Storage, NamesFiltersThatAreMissing) {
  for (auto const& [number, stored, name] : std::vector<std::tuple<int, char const*, std::string>>{
           {32000, "lzf", "lzf"}, {32015, "", "zstd"}, {31999, "", "unknown"}}) {
    H5Z_class2_t const filter{H5Z_CLASS_T_VERS, number, 1, 1, stored, nullptr, nullptr, copy};
    H5Zregister(&filter);
    {
      hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
      std::array<hsize_t, 2> const chunk{1, 2};
      H5Pset_chunk(creation, 2, chunk.data());
      H5Pset_filter(creation, number, H5Z_FLAG_OPTIONAL, 0, nullptr);
      Hdf5File file(path);
      file.add_labels("y", {0, 1});
      file.add_floats("x", {1, 2, 3, 4}, {2, 2}, creation);
      H5Pclose(creation);
    }
    EXPECT_EQ(open()->read(0, 2).reals.size(), 4U);
    H5Zunregister(number);
    refused({"stored with the filter " + name + " (number " + std::to_string(number) + ")", "HDF5_PLUGIN_PATH"});
  }
}

}  // namespace
}  // namespace onedge::data::test
