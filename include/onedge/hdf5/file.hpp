#pragma once
// Groups and files. Files on disk are only ever read; new ones are composed in memory and come to disk through
// publish(), so that no HDF5 file of ours is changed in place.
#include <onedge/hdf5/dataset.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace onedge::hdf5 {

/// extensible: chunked along the first axis by 4096 rows, which has no maximum; as_is: contiguous, for good.
enum class Layout { as_is, extensible };

/// Names may be paths ("dense_0/kernel"); groups on the way are created when something is written.
class Group : public Object {
 public:
  bool has(std::string const& name) const;
  bool is_group(std::string const& name) const;
  /// Names of the members, alphabetical.
  std::vector<std::string> names() const;
  /// Paths of all datasets below this group, alphabetical ("dense_0/bias", "dense_0/kernel", …); soft links are not
  /// followed. Error where groups lie in a cycle, or where there are 100 000 of them.
  std::vector<std::string> dataset_paths() const;

  Group create_group(std::string const& name);
  /// Error when there is none of that name.
  Group group(std::string const& name) const;
  Dataset dataset(std::string const& name) const;

  /// A new dataset holding `values` (row-major); without a shape it has one dimension. Error when the name is taken.
  template <class T>
  Dataset write(std::string const& name, std::span<T const> values, Shape const& shape, Layout layout = Layout::as_is);
  template <class T>
  Dataset write(std::string const& name, std::vector<T> const& values, Layout layout = Layout::as_is) {
    return write(name, std::span<T const>(values), {values.size()}, layout);
  }

  /// All values of the dataset of that name.
  template <class T>
  std::vector<T> read(std::string const& name) const {
    return dataset(name).read<T>();
  }

 protected:
  Group(Handle handle, std::string label) : Object(std::move(handle), std::move(label)) {}
};

/// A file, which is also its own root group.
class File : public Group {
 public:
  /// Opens for reading, without a lock. Error when it is missing, no HDF5 file, or truncated.
  static File open(std::filesystem::path const& path);
  /// A new file in memory; `name` is for messages only.
  static File in_memory(std::string const& name);
  /// The bytes of the file as they would lie on disk; only for one in memory.
  std::vector<std::byte> image() const;

 private:
  File(Handle handle, std::string label) : Group(std::move(handle), std::move(label)) {}
};

}  // namespace onedge::hdf5
