#pragma once
// Ownership of HDF5 identifiers, and HDF5's reason for its last failure. hdf5.h stays out of our headers.
#include <cstdint>
#include <string>
#include <utility>

namespace onedge::hdf5 {

/// hid_t of HDF5 1.10 and newer.
using Id = std::int64_t;

/// Owns one identifier and closes it with the function that belongs to its kind (H5Dclose, H5Gclose, …).
class Handle {
 public:
  using Closer = int (*)(Id);

  Handle() = default;
  Handle(Id id, Closer closer) noexcept : m_id(id), m_closer(closer) {}
  Handle(Handle&& other) noexcept : m_id(std::exchange(other.m_id, invalid)), m_closer(other.m_closer) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(m_id, other.m_id);
    std::swap(m_closer, other.m_closer);
    return *this;
  }
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() {
    if (m_id >= 0) m_closer(m_id);
  }

  Id get() const { return m_id; }
  explicit operator bool() const { return m_id >= 0; }

 private:
  static constexpr Id invalid = -1;
  Id m_id = invalid;
  Closer m_closer = nullptr;
};

/// An owned identifier, or Error("<what>: <HDF5's reason>") when HDF5 returned a negative one.
Handle checked(Id id, Handle::Closer closer, std::string const& what);
/// Error("<what>: <HDF5's reason>") when an HDF5 function returned a negative status.
void check(int status, std::string const& what);
/// The innermost message on HDF5's error stack: the operating system's own words where there are any.
std::string last_error();
/// Keeps HDF5 from printing its error stack by itself; every opening of a file calls this.
void silence_errors();

}  // namespace onedge::hdf5
