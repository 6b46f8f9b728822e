#include "storage.hpp"

#include <onedge/core/error.hpp>
#include <onedge/hdf5/dataset.hpp>

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

namespace onedge::hdf5 {

namespace {

namespace filesystem = std::filesystem;

using Extents = std::vector<hsize_t>;

Extents extents_of(hid_t space) {
  Extents extents(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
  if (!extents.empty()) H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  return extents;
}

/// What an HDF5 function of the form f(…, buffer, size) → length writes.
template <class Get>
std::string text_of(Get const& get) {
  auto const length = get(nullptr, 0);
  std::string text(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  if (!text.empty()) get(text.data(), text.size() + 1);
  return text;
}

/// The folder of the file that holds an object.
filesystem::path folder_of(hid_t object) {
  return filesystem::path(text_of([&](char* buffer, std::size_t size) { return H5Fget_name(object, buffer, size); }))
      .parent_path();
}

/// A folder that HDF5 takes from the environment; it may begin with ${ORIGIN}, the folder of the file itself.
filesystem::path folder_from(std::string const& prefix, filesystem::path const& origin) {
  std::string const marker = "${ORIGIN}";
  if (!prefix.starts_with(marker)) return prefix;
  auto const below = prefix.substr(marker.size());
  return origin / below.substr(std::min(below.size(), below.find_first_not_of('/')));
}

std::string from_environment(char const* name) {
  auto const* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Filters that are in use, for files that do not say their names.
std::string filter_name(hid_t creation, unsigned index, H5Z_filter_t filter) {
  unsigned flags = 0;
  std::size_t values = 0;
  std::array<char, 64> stored{};
  H5Pget_filter2(creation, index, &flags, &values, nullptr, stored.size() - 1, stored.data(), nullptr);
  if (stored[0] != '\0') return stored.data();
  std::map<H5Z_filter_t, char const*> const known{{H5Z_FILTER_DEFLATE, "deflate"},
                                                  {H5Z_FILTER_SZIP, "szip"},
                                                  {307, "bzip2"},
                                                  {32000, "lzf"},
                                                  {32001, "blosc"},
                                                  {32004, "lz4"},
                                                  {32008, "bitshuffle"},
                                                  {32013, "zfp"},
                                                  {32015, "zstd"},
                                                  {32017, "sz"},
                                                  {32026, "blosc2"}};
  auto const found = known.find(filter);
  return found != known.end() ? found->second : "unknown";
}

bool can_decode(H5Z_filter_t filter) {
  unsigned abilities = 0;
  return H5Zfilter_avail(filter) > 0 && H5Zget_filter_info(filter, &abilities) >= 0 &&
         (abilities & H5Z_FILTER_CONFIG_DECODE_ENABLED) != 0;
}

void require_filters(hid_t creation, std::string const& label) {
  int const count = H5Pget_nfilters(creation);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    auto const filter =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    require(
        can_decode(filter), label, ": is stored with the filter ",
        filter_name(creation, static_cast<unsigned>(i), filter), " (number ", filter,
        "), which this HDF5 does not have; store it with gzip or as it is, or have HDF5_PLUGIN_PATH name the folder "
        "of the filter's plug-in");
  }
}

/// Bytes of a value.
hsize_t value_bytes(hid_t dataset) {
  Handle const type(H5Dget_type(dataset), H5Tclose);
  return std::max<hsize_t>(H5Tget_size(type.get()), 1);
}

std::string shape_text(Extents const& extents) { return to_string(Shape(extents.begin(), extents.end())); }

/// Bytes of all values that a dataset declares. Error where they are beyond any memory.
hsize_t declared_bytes(hid_t dataset, std::string const& label) {
  Handle const space = checked(H5Dget_space(dataset), H5Sclose, label);
  auto const extents = extents_of(space.get());
  bool const is_null = H5Sget_simple_extent_type(space.get()) == H5S_NULL;
  if (is_null || std::find(extents.begin(), extents.end(), hsize_t{0}) != extents.end()) return 0;
  hsize_t bytes = value_bytes(dataset);
  for (auto const extent : extents) {
    bool const fits = bytes <= std::numeric_limits<hsize_t>::max() / 2 / extent;
    require(fits, label, ": its shape ", shape_text(extents), " has too many values");
    bytes *= extent;
  }
  return bytes;
}

// HDF5 takes memory for a whole chunk, and makes up values that are not in the file: what costs memory must lie there,
// packed by no more than anybody's compression does.
constexpr hsize_t harmless_bytes = hsize_t{1} << 26;
constexpr hsize_t best_compression = 4096;

void require_small_chunks(hid_t dataset, hid_t creation, hsize_t declared, std::string const& label) {
  Extents extents(H5S_MAX_RANK);
  extents.resize(static_cast<std::size_t>(std::max(0, H5Pget_chunk(creation, H5S_MAX_RANK, extents.data()))));
  hsize_t chunk = value_bytes(dataset);
  for (auto const extent : extents) chunk *= extent;
  require(chunk <= std::max(harmless_bytes, 2 * declared), label, ": its chunks of ", chunk,
          " bytes are far larger than its ", declared, " bytes");
}

/// Of what lies in the file itself.
void require_bytes(hid_t dataset, hsize_t declared, std::string const& label) {
  hsize_t const stored = H5Dget_storage_size(dataset);
  require(declared == 0 || stored > 0, label, ": its values were never written");
  if (declared <= harmless_bytes || declared / best_compression <= stored) return;
  Handle const space = checked(H5Dget_space(dataset), H5Sclose, label);
  throw Error(concat(label, ": it declares the shape ", shape_text(extents_of(space.get())), ", ", declared,
                     " bytes, and only ", stored, " bytes are stored"));
}

/// External raw files; HDF5 takes zeros for what lies behind their end.
void require_external(hid_t dataset, hid_t creation, hsize_t bytes, std::string const& label) {
  auto const prefix = from_environment("HDF5_EXTFILE_PREFIX");
  int const count = H5Pget_external_count(creation);
  for (int i = 0; i < count && bytes > 0; ++i) {
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t size = 0;
    check(H5Pget_external(creation, static_cast<unsigned>(i), name.size() - 1, name.data(), &offset, &size), label);
    filesystem::path path = name.data();
    if (!prefix.empty() && prefix != "." && path.is_relative()) path = folder_from(prefix, folder_of(dataset)) / path;
    auto const wanted = std::min(size, bytes);  // the size may be without limit
    std::error_code error;
    auto const found = filesystem::file_size(path, error);
    require(!error, label, ": its values are in the file ", path.string(), ", which cannot be read: ", error.message());
    require(found >= static_cast<hsize_t>(offset) + wanted, label, ": its values are in the file ", path.string(),
            ", which is truncated: ", static_cast<hsize_t>(offset) + wanted, " bytes are needed, found ", found);
    bytes -= wanted;
  }
}

/// Where HDF5 looks for a source of a virtual dataset, in its order.
std::vector<filesystem::path> places_of(std::string const& name, hid_t dataset) {
  filesystem::path const file = name;
  std::vector<filesystem::path> places;
  if (file.is_absolute()) places.push_back(file);
  auto const relative = file.is_absolute() ? file.filename() : file;
  auto const origin = folder_of(dataset);
  std::istringstream prefixes(from_environment("HDF5_VDS_PREFIX"));
  for (std::string prefix; std::getline(prefixes, prefix, ':');)
    places.push_back(folder_from(prefix, origin) / relative);
  places.push_back(origin / relative);
  places.push_back(relative);
  std::error_code ignored;
  auto const whole = text_of([&](char* buffer, std::size_t size) { return H5Fget_name(dataset, buffer, size); });
  places.push_back(filesystem::canonical(whole, ignored).parent_path() / relative);
  return places;
}

/// The name of a source's file or dataset, in which %b stands for the number of a block and %% for %.
std::string with_block(std::string const& text, hsize_t block) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const is_marked = text[i] == '%' && i + 1 < text.size();
    if (is_marked && text[i + 1] == 'b') {
      result += std::to_string(block);
    } else {
      result += text[i];
    }
    if (is_marked && (text[i + 1] == 'b' || text[i + 1] == '%')) ++i;
  }
  return result;
}

/// Blocks of an unlimited selection that lie within the extents; 1 for any other selection.
hsize_t blocks_within(hid_t selection, Extents const& extents) {
  if (H5Sis_regular_hyperslab(selection) <= 0) return 1;
  Extents start(extents.size()), stride(extents.size()), count(extents.size()), block(extents.size());
  check(H5Sget_regular_hyperslab(selection, start.data(), stride.data(), count.data(), block.data()), "a selection");
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (count[i] != H5S_UNLIMITED) continue;
    return extents[i] > start[i] ? (extents[i] - start[i] + stride[i] - 1) / stride[i] : 0;
  }
  return 1;
}

void require_stored(hid_t dataset, std::string const& label, int depth);

/// A dataset that a virtual one takes values from.
struct VirtualSource {
  std::string file, dataset;
  hsize_t values;  // so many; 0: without limit
  Extents ends;    // up to there in each dimension, exclusive; empty: from all of it

  bool operator<(VirtualSource const& other) const {
    return std::tie(file, dataset, values, ends) < std::tie(other.file, other.dataset, other.values, other.ends);
  }
};

/// One past the last index of a selection in each dimension; 0 where it has no end.
Extents ends_of(hid_t selection) {
  if (H5Sget_select_type(selection) != H5S_SEL_HYPERSLABS) return {};
  Extents begin(extents_of(selection).size()), end(begin.size());
  if (H5Sget_select_bounds(selection, begin.data(), end.data()) < 0) return {};
  for (auto& last : end) last = last < H5S_UNLIMITED ? last + 1 : 0;
  return end;
}

/// Values in a selection; 0 where it has no end.
hsize_t values_in(hid_t selection) {
  auto const points = H5Sget_select_npoints(selection);
  return points < 0 || static_cast<hsize_t>(points) == H5S_UNLIMITED ? 0 : static_cast<hsize_t>(points);
}

/// Whether a source is as large as it must be.
bool is_large_enough(hid_t found, VirtualSource const& source) {
  Handle const space(H5Dget_space(found), H5Sclose);
  auto const extents = extents_of(space.get());
  bool const reaches =
      source.ends.empty() || (extents.size() == source.ends.size() &&
                              std::equal(extents.begin(), extents.end(), source.ends.begin(), std::greater_equal<>()));
  return reaches && values_in(space.get()) >= source.values;
}

/// `depth`: of virtual datasets whose sources are virtual.
void require_source(hid_t dataset, VirtualSource const& source, std::string const& label, int depth) {
  auto const name = (source.file == "." ? "" : source.file + ":") + source.dataset;
  auto const what = concat(label, ": is a virtual dataset; its source ", name, " ");
  Handle file(H5Iget_file_id(dataset), H5Fclose);
  if (source.file != ".") {
    Handle const access(H5Fget_access_plist(file.get()), H5Pclose);
    file = {};
    for (auto const& place : places_of(source.file, dataset)) {
      if (!file) file = Handle(H5Fopen(place.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    }
  }
  require(static_cast<bool>(file), what, "cannot be opened: there is no such HDF5 file");
  Handle const found(H5Dopen2(file.get(), source.dataset.c_str(), H5P_DEFAULT), H5Dclose);
  require(static_cast<bool>(found), what, "is not there: the file has no such dataset");
  require(is_large_enough(found.get(), source), what, "is smaller than the part that is taken from it");
  require_stored(found.get(), concat(label, ", whose source is ", name), depth + 1);
}

void require_sources(hid_t dataset, hid_t creation, std::string const& label, int depth) {
  constexpr int deepest = 8;
  require(depth <= deepest, label, ": is a virtual dataset that leads to itself, or too deep");
  Handle const space(H5Dget_space(dataset), H5Sclose);
  auto const extents = extents_of(space.get());
  std::size_t count = 0;
  check(H5Pget_virtual_count(creation, &count), label);
  std::set<VirtualSource> sources;
  hsize_t covered = 0;
  bool is_unlimited = false;
  for (std::size_t i = 0; i < count; ++i) {
    auto const get = [&](auto function) {
      return text_of([&](char* buffer, std::size_t size) { return function(creation, i, buffer, size); });
    };
    auto const file = get(H5Pget_virtual_filename), name = get(H5Pget_virtual_dsetname);
    Handle const selection = checked(H5Pget_virtual_vspace(creation, i), H5Sclose, label);
    Handle const taken = checked(H5Pget_virtual_srcspace(creation, i), H5Sclose, label);
    hsize_t const values = values_in(selection.get());
    is_unlimited = is_unlimited || values == 0;
    covered += values;
    for (hsize_t block = 0; block < blocks_within(selection.get(), extents); ++block) {
      sources.insert({with_block(file, block), with_block(name, block), values, ends_of(taken.get())});
    }
  }
  for (auto const& source : sources) require_source(dataset, source, label, depth);
  require(is_unlimited || covered >= values_in(space.get()), label,
          ": is a virtual dataset of which no source has a part");
}

void require_stored(hid_t dataset, std::string const& label, int depth) {
  Handle const creation = checked(H5Dget_create_plist(dataset), H5Pclose, label);
  require_filters(creation.get(), label);
  hsize_t const bytes = declared_bytes(dataset, label);
  auto const layout = H5Pget_layout(creation.get());
  if (layout == H5D_VIRTUAL) return require_sources(dataset, creation.get(), label, depth);
  if (H5Pget_external_count(creation.get()) > 0) return require_external(dataset, creation.get(), bytes, label);
  if (layout == H5D_CHUNKED) require_small_chunks(dataset, creation.get(), bytes, label);
  require_bytes(dataset, bytes, label);
}

}  // namespace

void require_stored(Id dataset, std::string const& label) { require_stored(dataset, label, 0); }

std::size_t missing_chunks(Id dataset, std::string const& label) {
  Handle const creation = checked(H5Dget_create_plist(dataset), H5Pclose, label);
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return 0;
  Handle const space = checked(H5Dget_space(dataset), H5Sclose, label);
  auto const extents = extents_of(space.get());
  Extents chunk(extents.size());
  check(H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), label);
  hsize_t all = 1, found = 0;
  for (std::size_t i = 0; i < chunk.size(); ++i) all *= (extents[i] + chunk[i] - 1) / chunk[i];
  check(H5Dget_num_chunks(dataset, space.get(), &found), label);
  return all > found ? all - found : 0;
}

}  // namespace onedge::hdf5
