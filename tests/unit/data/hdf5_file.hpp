#pragma once
// HDF5 files for tests, written with HDF5's own interface.
#include <hdf5.h>

#include <filesystem>
#include <vector>

namespace onedge::data::test {

using Extents = std::vector<hsize_t>;

class Hdf5File {
 public:
  explicit Hdf5File(std::filesystem::path const& path)
      : m_file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Hdf5File() { H5Fclose(m_file); }
  Hdf5File(Hdf5File const&) = delete;
  Hdf5File& operator=(Hdf5File const&) = delete;

  /// A dataset, written unless there are no values.
  template <class T>
  void add(char const* name, hid_t file_type, hid_t memory_type, std::vector<T> const& values, Extents const& extents,
           hid_t creation = H5P_DEFAULT) {
    hid_t const space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
    hid_t const dataset = H5Dcreate2(m_file, name, file_type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    H5Sclose(space);
  }
  /// A dataset on a space of any kind, without values.
  void add_on(char const* name, hid_t type, hid_t space, hid_t creation) {
    H5Dclose(H5Dcreate2(m_file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  }
  /// Integers in chunks of two, of which only the first are written.
  void add_part(char const* name, std::vector<int> const& values, hsize_t extent) {
    hsize_t const chunk = 2, first = 0, count = values.size();
    hid_t const creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &chunk);
    hid_t const space = H5Screate_simple(1, &extent, nullptr);
    hid_t const memory = H5Screate_simple(1, &count, nullptr);
    hid_t const dataset = H5Dcreate2(m_file, name, H5T_STD_I64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, nullptr, &count, nullptr);
    H5Dwrite(dataset, H5T_NATIVE_INT, memory, space, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    for (hid_t const each : {space, memory}) H5Sclose(each);
    H5Pclose(creation);
  }
  void add_labels(char const* name, std::vector<int> const& values) {
    add(name, H5T_STD_I64LE, H5T_NATIVE_INT, values, {values.size()});
  }
  void add_floats(char const* name, std::vector<float> const& values, Extents const& extents,
                  hid_t creation = H5P_DEFAULT) {
    add(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, extents, creation);
  }

 private:
  hid_t m_file;
};

}  // namespace onedge::data::test
