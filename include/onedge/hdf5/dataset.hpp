#pragma once
// Attributes and datasets. T is one of float, double, std::int64_t, std::uint64_t, std::int32_t, std::uint8_t and
// std::string (UTF-8 of variable length, what h5py reads as str). Numbers are converted between the types of file and
// memory by HDF5.
#include <onedge/hdf5/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace onedge::hdf5 {

/// Extents, slowest first; empty for a scalar.
using Shape = std::vector<std::size_t>;

/// Number of values in an array of that shape. Error when no size_t holds it.
std::size_t size_of(Shape const& shape);
/// "[4, 3]"
std::string to_string(Shape const& shape);

enum class ElementType { float32, float64, integer, text, other };

/// What groups and datasets have in common: a name for messages, and attributes. Failures throw Error.
class Object {
 public:
  /// "FILE:/group/name", for messages.
  std::string const& label() const { return m_label; }
  Id id() const { return m_handle.get(); }

  bool has_attribute(std::string const& name) const;
  /// Names in alphabetical order.
  std::vector<std::string> attribute_names() const;
  ElementType attribute_type(std::string const& name) const;

  /// A new scalar attribute.
  void write_attribute(std::string const& name, double value);
  void write_attribute(std::string const& name, std::int64_t value);
  void write_attribute(std::string const& name, std::string const& value);

  /// A scalar attribute as T = double, std::int64_t or std::string. Error when it is absent or of another class.
  template <class T>
  T attribute(std::string const& name) const;

 protected:
  Object(Handle handle, std::string label) : m_handle(std::move(handle)), m_label(std::move(label)) {}

 private:
  Handle m_handle;
  std::string m_label;
};

class Dataset : public Object {
 public:
  Dataset(Handle handle, std::string label) : Object(std::move(handle), std::move(label)) {}

  Shape shape() const;
  /// Number of values.
  std::size_t size() const { return size_of(shape()); }
  ElementType element_type() const;
  /// "float64", "uint8", …
  std::string type_name() const;

  /// Error naming what is missing where HDF5 would give fill values, or nothing: the values themselves, a source of a
  /// virtual dataset, an external file, a filter; and where the file cannot hold what the dataset declares. Every
  /// reading begins with it, before memory is taken.
  void require_stored() const;
  /// Chunks that were never written, and are read as the fill value.
  std::size_t missing_chunks() const;

  /// All values, row-major. Error when T is text and the elements are not, or the reverse.
  template <class T>
  std::vector<T> read() const;
  /// Rows first … first+count−1 along the first axis, row-major; Error when they do not exist.
  template <class T>
  std::vector<T> read_rows(std::size_t first, std::size_t count) const;

  /// Declares this dataset to be a dimension scale (a coordinate axis) of that name.
  void make_scale(std::string const& name);
  /// Says that `scale` holds the coordinates of axis 0 of this dataset.
  void attach_scale(Dataset const& scale);
};

}  // namespace onedge::hdf5
