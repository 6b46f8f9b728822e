#include <onedge/core/error.hpp>
#include <onedge/hdf5/file.hpp>

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>

#include "types.hpp"

namespace onedge::hdf5 {

namespace {

constexpr std::size_t rows_per_chunk = 4096;
constexpr std::size_t largest_chunk = 1 << 22;  // values; HDF5 refuses chunks of 4 GiB

Handle creation_properties(Shape const& shape, Layout layout, std::string const& what) {
  auto properties = checked(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, what);
  if (layout == Layout::as_is) return properties;
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  for (auto& extent : chunk) extent = std::max<hsize_t>(extent, 1);
  std::size_t const row = size_of({chunk.begin() + 1, chunk.end()});
  chunk[0] = std::clamp<std::size_t>(largest_chunk / row, 1, rows_per_chunk);
  check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), what);
  return properties;
}

Handle data_space(Shape const& shape, Layout layout, std::string const& what) {
  std::vector<hsize_t> const extents(shape.begin(), shape.end());
  std::vector<hsize_t> maximum = extents;
  if (layout == Layout::extensible) maximum[0] = H5S_UNLIMITED;
  return checked(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), maximum.data()), H5Sclose, what);
}

Handle link_properties(std::string const& what) {
  auto properties = checked(H5Pcreate(H5P_LINK_CREATE), H5Pclose, what);
  check(H5Pset_create_intermediate_group(properties.get(), 1), what);
  return properties;
}

/// HDF5 takes strings as an array of pointers to characters, everything else as it lies in memory.
template <class T>
int write_values(hid_t dataset, hid_t type, std::span<T const> values) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::vector<char const*> texts;
    for (auto const& text : values) texts.push_back(text.c_str());
    return H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data());
  } else {
    return H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
}

std::string separated(std::string const& label) { return label.ends_with('/') ? label : label + "/"; }

/// Lists datasets. A cycle of groups has no end, and a few groups that hold each other twice have more paths than
/// memory.
class DatasetPaths {
 public:
  void collect(Group const& group, std::string const& prefix, int depth) {
    require(depth <= deepest, group.label(), ": its groups lie more than ", deepest, " deep, or in a cycle");
    for (auto const& name : group.names()) {
      require(++m_links <= most_links, group.label(), ": there are more than ", most_links, " groups and datasets");
      auto const type = type_of(group, name);
      if (type == H5I_GROUP) collect(group.group(name), prefix + name + "/", depth + 1);
      if (type == H5I_DATASET) paths.push_back(prefix + name);
    }
  }

  std::vector<std::string> paths;

 private:
  static constexpr int deepest = 32;
  static constexpr std::size_t most_links = 100000;

  /// Soft links and links to other files are followed only by who asks for their names: they are no objects.
  static H5I_type_t type_of(Group const& group, std::string const& name) {
    H5L_info_t link;
    bool const is_hard = H5Lget_info(group.id(), name.c_str(), &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
    if (!is_hard) return H5I_BADID;
    Handle const object(H5Oopen(group.id(), name.c_str(), H5P_DEFAULT), H5Oclose);
    return object ? H5Iget_type(object.get()) : H5I_BADID;
  }

  std::size_t m_links = 0;
};

}  // namespace

bool Group::has(std::string const& name) const {
  // H5Lexists wants every group on the way to exist.
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (H5Lexists(id(), name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(id(), name.c_str(), H5P_DEFAULT) > 0;
}

bool Group::is_group(std::string const& name) const {
  if (!has(name)) return false;
  Handle const object(H5Oopen(id(), name.c_str(), H5P_DEFAULT), H5Oclose);
  return object && H5Iget_type(object.get()) == H5I_GROUP;
}

std::vector<std::string> Group::names() const {
  std::vector<std::string> names;
  auto const collect = [](hid_t, char const* name, H5L_info_t const*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  check(H5Literate(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), "cannot list " + label());
  return names;
}

std::vector<std::string> Group::dataset_paths() const {
  DatasetPaths datasets;
  datasets.collect(*this, "", 1);
  std::sort(datasets.paths.begin(), datasets.paths.end());
  return datasets.paths;
}

Group Group::create_group(std::string const& name) {
  auto const what = concat("cannot create the group ", separated(label()), name);
  auto const links = link_properties(what);
  return {checked(H5Gcreate2(id(), name.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT), H5Gclose, what),
          separated(label()) + name};
}

Group Group::group(std::string const& name) const {
  auto const what = concat("cannot open the group ", separated(label()), name);
  require(has(name), what, ": there is none");
  return {checked(H5Gopen2(id(), name.c_str(), H5P_DEFAULT), H5Gclose, what), separated(label()) + name};
}

Dataset Group::dataset(std::string const& name) const {
  auto const what = concat("cannot open the dataset ", separated(label()), name);
  require(has(name), what, ": there is none");
  return {checked(H5Dopen2(id(), name.c_str(), H5P_DEFAULT), H5Dclose, what), separated(label()) + name};
}

template <class T>
Dataset Group::write(std::string const& name, std::span<T const> values, Shape const& shape, Layout layout) {
  auto const what = concat("cannot write ", separated(label()), name);
  require(size_of(shape) == values.size() && (layout == Layout::as_is || !shape.empty()), what, ": ", values.size(),
          " values do not fill the shape ", to_string(shape));
  auto const type = memory_type<T>();
  auto const space = data_space(shape, layout, what);
  auto const creation = creation_properties(shape, layout, what);
  auto const links = link_properties(what);
  auto handle =
      checked(H5Dcreate2(id(), name.c_str(), type.get(), space.get(), links.get(), creation.get(), H5P_DEFAULT),
              H5Dclose, what);
  if (!values.empty()) check(write_values(handle.get(), type.get(), values), what);
  return {std::move(handle), separated(label()) + name};
}

#define ONEDGE_INSTANTIATE(T) \
  template Dataset Group::write<T>(std::string const&, std::span<T const>, Shape const&, Layout);
ONEDGE_FOR_EACH_ELEMENT_TYPE(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

File File::open(std::filesystem::path const& path) {
  silence_errors();
  auto const what = "cannot open " + path.string();
  std::error_code error;
  auto const status = std::filesystem::status(path, error);
  bool const is_told = !error || status.type() == std::filesystem::file_type::not_found;
  require(is_told, what, ": ", error.message());
  require(std::filesystem::exists(status), what, ": no such file");
  require(!std::filesystem::is_directory(status), what, ": it is a folder");
  // A pipe in a file's place would keep us waiting.
  require(std::filesystem::is_regular_file(status), what, ": it is no regular file");
  auto const access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE < 1)
  // Files that are never changed in place need no lock, and shared file systems often cannot give one.
  check(H5Pset_file_locking(access.get(), 0, 1), what);
#endif
  Handle handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!handle) {
    auto const reason = last_error();
    require(reason.find("signature") == std::string::npos, what, ": it is not an HDF5 file");
    throw Error(concat(what, ::access(path.c_str(), R_OK) == 0 ? ": it is damaged: " : ": ", reason));
  }
  return {std::move(handle), path.string() + ":"};
}

File File::in_memory(std::string const& name) {
  silence_errors();
  auto const what = "cannot compose " + name;
  auto const access = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what);
  constexpr std::size_t growth = 1 << 20;
  check(H5Pset_fapl_core(access.get(), growth, 0), what);
  return {checked(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose, what), name + ":"};
}

std::vector<std::byte> File::image() const {
  auto const what = "cannot compose " + label();
  check(H5Fflush(id(), H5F_SCOPE_GLOBAL), what);
  auto const size = H5Fget_file_image(id(), nullptr, 0);
  check(size < 0 ? -1 : 0, what);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  check(H5Fget_file_image(id(), bytes.data(), bytes.size()) < 0 ? -1 : 0, what);
  return bytes;
}

}  // namespace onedge::hdf5
