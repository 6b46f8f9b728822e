#pragma once
// HDF5's types for ours, for the files of this folder.
#include <onedge/hdf5/dataset.hpp>

#include <hdf5.h>

#include <string>
#include <type_traits>

// The types that datasets are written from and read into.
#define ONEDGE_FOR_EACH_ELEMENT_TYPE(INSTANTIATE) \
  INSTANTIATE(float)                              \
  INSTANTIATE(double)                             \
  INSTANTIATE(std::int64_t)                       \
  INSTANTIATE(std::uint64_t)                      \
  INSTANTIATE(std::int32_t)                       \
  INSTANTIATE(std::uint8_t)                       \
  INSTANTIATE(std::string)

namespace onedge::hdf5 {

/// A UTF-8 string of variable length; `like` gives the character set to read a stored one with.
inline Handle text_type(hid_t like = -1) {
  auto type = checked(H5Tcopy(H5T_C_S1), H5Tclose, "cannot copy a type");
  check(H5Tset_size(type.get(), H5T_VARIABLE), "cannot make a string type");
  check(H5Tset_cset(type.get(), like < 0 ? H5T_CSET_UTF8 : H5Tget_cset(like)), "cannot set a character set");
  return type;
}

template <class T>
Handle memory_type() {
  if constexpr (std::is_same_v<T, std::string>) {
    return text_type();
  } else {
    hid_t native = H5T_NATIVE_DOUBLE;
    if constexpr (std::is_same_v<T, float>) native = H5T_NATIVE_FLOAT;
    if constexpr (std::is_same_v<T, std::int64_t>) native = H5T_NATIVE_INT64;
    if constexpr (std::is_same_v<T, std::uint64_t>) native = H5T_NATIVE_UINT64;
    if constexpr (std::is_same_v<T, std::int32_t>) native = H5T_NATIVE_INT32;
    if constexpr (std::is_same_v<T, std::uint8_t>) native = H5T_NATIVE_UINT8;
    return checked(H5Tcopy(native), H5Tclose, "cannot copy a type");
  }
}

inline ElementType element_type_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return H5Tget_size(type) <= sizeof(float) ? ElementType::float32 : ElementType::float64;
    case H5T_INTEGER:
      return ElementType::integer;
    case H5T_STRING:
      return ElementType::text;
    default:
      return ElementType::other;
  }
}

}  // namespace onedge::hdf5
