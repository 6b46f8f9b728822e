#include <onedge/core/error.hpp>
#include <onedge/hdf5/handle.hpp>

#include <hdf5.h>

#include <string_view>
#include <type_traits>

namespace onedge::hdf5 {

static_assert(std::is_same_v<hid_t, Id>, "HDF5 1.10 or newer is needed");

namespace {

herr_t innermost_message(unsigned, H5E_error2_t const* error, void* text) {
  auto& found = *static_cast<std::string*>(text);
  if (found.empty() && error->desc) found = error->desc;
  return 0;
}

}  // namespace

std::string last_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost_message, &text);
  // "unable to open file: name = '…', errno = 2, error message = 'No such file or directory', flags = 0, o_flags = 0"
  constexpr std::string_view marker = "error message = '";
  auto const begin = text.find(marker);
  if (begin == std::string::npos) return text.empty() ? "unknown reason" : text;
  auto const from = begin + marker.size();
  return text.substr(from, text.find('\'', from) - from);
}

void silence_errors() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle checked(Id id, Handle::Closer closer, std::string const& what) {
  if (id < 0) throw Error(concat(what, ": ", last_error()));
  return Handle(id, closer);
}

void check(int status, std::string const& what) {
  if (status < 0) throw Error(concat(what, ": ", last_error()));
}

}  // namespace onedge::hdf5
