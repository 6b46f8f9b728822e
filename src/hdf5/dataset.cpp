#include <onedge/core/error.hpp>
#include <onedge/hdf5/dataset.hpp>

#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

#include "storage.hpp"
#include "types.hpp"

namespace onedge::hdf5 {

namespace {

using Reader = std::function<herr_t(hid_t memory_type, void* values)>;

std::vector<std::string> variable_texts(hid_t type, hid_t space, std::size_t count, Reader const& reader,
                                        std::string const& what) {
  auto const memory = text_type(type);
  std::vector<char*> raw(count, nullptr);
  check(reader(memory.get(), raw.data()), what);
  std::vector<std::string> texts;
  for (char const* text : raw) texts.emplace_back(text ? text : "");
  H5Dvlen_reclaim(memory.get(), space, H5P_DEFAULT, raw.data());
  return texts;
}

std::vector<std::string> fixed_texts(hid_t type, std::size_t count, Reader const& reader, std::string const& what) {
  std::size_t const size = H5Tget_size(type);
  std::vector<char> raw(count * size);
  check(reader(type, raw.data()), what);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    auto const begin = raw.begin() + static_cast<std::ptrdiff_t>(i * size);
    texts.emplace_back(begin, std::find(begin, begin + static_cast<std::ptrdiff_t>(size), '\0'));
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) texts.back().erase(texts.back().find_last_not_of(' ') + 1);
  }
  return texts;
}

/// `count` values out of a dataset or attribute whose elements in the file are of `type`.
template <class T>
std::vector<T> read_values(hid_t type, hid_t space, std::size_t count, Reader const& reader, std::string const& what) {
  auto const element = element_type_of(type);
  bool const text = element == ElementType::text;
  require((std::is_same_v<T, std::string> == text) && element != ElementType::other, what, ": it holds ",
          text ? "text" : (element == ElementType::other ? "elements of an unknown kind" : "numbers"));
  try {
    if constexpr (std::is_same_v<T, std::string>) {
      return H5Tis_variable_str(type) > 0 ? variable_texts(type, space, count, reader, what)
                                          : fixed_texts(type, count, reader, what);
    } else {
      std::vector<T> values(count);
      if (count > 0) check(reader(memory_type<T>().get(), values.data()), what);
      return values;
    }
  } catch (std::bad_alloc const&) {
    throw Error(concat(what, ": ", count, " values do not fit in memory"));
  } catch (std::length_error const&) {
    throw Error(concat(what, ": ", count, " values do not fit in memory"));
  }
}

template <class T>
void write_scalar(Object const& object, std::string const& name, void const* value) {
  auto const what = concat("cannot write attribute '", name, "' of ", object.label());
  auto const type = memory_type<T>();
  auto const space = checked(H5Screate(H5S_SCALAR), H5Sclose, what);
  auto const attribute =
      checked(H5Acreate2(object.id(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
  check(H5Awrite(attribute.get(), type.get(), value), what);
}

Shape shape_of(hid_t space) {
  int const rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> extents(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  return {extents.begin(), extents.end()};
}

/// Nothing where no size_t holds it.
std::optional<std::size_t> product(Shape const& shape) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) return 0;
  std::size_t size = 1;
  for (std::size_t const extent : shape) {
    if (size > std::numeric_limits<std::size_t>::max() / extent) return {};
    size *= extent;
  }
  return size;
}

}  // namespace

std::size_t size_of(Shape const& shape) {
  auto const size = product(shape);
  require(size.has_value(), "the shape ", to_string(shape), " has too many values");
  return *size;
}

std::string to_string(Shape const& shape) {
  std::string text = "[";
  for (std::size_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + "]";
}

bool Object::has_attribute(std::string const& name) const { return H5Aexists(id(), name.c_str()) > 0; }

std::vector<std::string> Object::attribute_names() const {
  std::vector<std::string> names;
  auto const collect = [](hid_t, char const* name, H5A_info_t const*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names),
        "cannot list attributes of " + label());
  return names;
}

ElementType Object::attribute_type(std::string const& name) const {
  auto const what = concat("cannot read attribute '", name, "' of ", label());
  auto const attribute = checked(H5Aopen(id(), name.c_str(), H5P_DEFAULT), H5Aclose, what);
  return element_type_of(checked(H5Aget_type(attribute.get()), H5Tclose, what).get());
}

void Object::write_attribute(std::string const& name, double value) { write_scalar<double>(*this, name, &value); }

void Object::write_attribute(std::string const& name, std::int64_t value) {
  write_scalar<std::int64_t>(*this, name, &value);
}

void Object::write_attribute(std::string const& name, std::string const& value) {
  char const* const text = value.c_str();
  write_scalar<std::string>(*this, name, &text);
}

template <class T>
T Object::attribute(std::string const& name) const {
  auto const what = concat("cannot read attribute '", name, "' of ", label());
  require(has_attribute(name), what, ": there is none");
  auto const attribute = checked(H5Aopen(id(), name.c_str(), H5P_DEFAULT), H5Aclose, what);
  auto const type = checked(H5Aget_type(attribute.get()), H5Tclose, what);
  auto const space = checked(H5Aget_space(attribute.get()), H5Sclose, what);
  require(H5Sget_simple_extent_npoints(space.get()) == 1, what, ": it is not one value");
  auto const reader = [&](hid_t memory, void* value) { return H5Aread(attribute.get(), memory, value); };
  return read_values<T>(type.get(), space.get(), 1, reader, what).front();
}

template double Object::attribute<double>(std::string const&) const;
template std::int64_t Object::attribute<std::int64_t>(std::string const&) const;
template std::string Object::attribute<std::string>(std::string const&) const;

Shape Dataset::shape() const {
  return shape_of(checked(H5Dget_space(id()), H5Sclose, "cannot read the shape of " + label()).get());
}

std::string Dataset::type_name() const {
  auto const type = checked(H5Dget_type(id()), H5Tclose, "cannot read the type of " + label());
  auto const bits = std::to_string(8 * H5Tget_size(type.get()));
  switch (H5Tget_class(type.get())) {
    case H5T_FLOAT:
      return "float" + bits;
    case H5T_INTEGER:
      return (H5Tget_sign(type.get()) == H5T_SGN_NONE ? "uint" : "int") + bits;
    default:
      return "no number";
  }
}

ElementType Dataset::element_type() const {
  return element_type_of(checked(H5Dget_type(id()), H5Tclose, "cannot read the type of " + label()).get());
}

void Dataset::require_stored() const { hdf5::require_stored(id(), label()); }

std::size_t Dataset::missing_chunks() const { return hdf5::missing_chunks(id(), label()); }

template <class T>
std::vector<T> Dataset::read() const {
  auto const what = "cannot read " + label();
  require_stored();
  auto const type = checked(H5Dget_type(id()), H5Tclose, what);
  auto const space = checked(H5Dget_space(id()), H5Sclose, what);
  auto const reader = [&](hid_t memory, void* values) {
    return H5Dread(id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  };
  return read_values<T>(type.get(), space.get(), size_of(shape_of(space.get())), reader, what);
}

template <class T>
std::vector<T> Dataset::read_rows(std::size_t first, std::size_t count) const {
  auto const what = "cannot read " + label();
  require_stored();
  auto const type = checked(H5Dget_type(id()), H5Tclose, what);
  auto const space = checked(H5Dget_space(id()), H5Sclose, what);
  auto const all = shape_of(space.get());
  require(!all.empty() && first <= all[0] && count <= all[0] - first, what, ": rows ", first, " to ", first + count,
          " asked for, its shape is ", to_string(all));
  if (count == 0) return {};
  std::vector<hsize_t> start(all.size(), 0), extent(all.begin(), all.end());
  start[0] = first;
  extent[0] = count;
  check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr), what);
  auto const memory_space =
      checked(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose, what);
  auto const reader = [&](hid_t memory, void* values) {
    return H5Dread(id(), memory, memory_space.get(), space.get(), H5P_DEFAULT, values);
  };
  return read_values<T>(type.get(), memory_space.get(), size_of({extent.begin(), extent.end()}), reader, what);
}

void Dataset::make_scale(std::string const& name) {
  check(H5DSset_scale(id(), name.c_str()), "cannot make a dimension scale of " + label());
}

void Dataset::attach_scale(Dataset const& scale) {
  check(H5DSattach_scale(id(), scale.id(), 0), "cannot attach a dimension scale to " + label());
}

#define ONEDGE_INSTANTIATE(T)                       \
  template std::vector<T> Dataset::read<T>() const; \
  template std::vector<T> Dataset::read_rows<T>(std::size_t, std::size_t) const;
ONEDGE_FOR_EACH_ELEMENT_TYPE(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::hdf5
