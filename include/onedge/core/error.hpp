#pragma once
// The two kinds of failure. Whatever is thrown, main prints one line on the failing rank and ends all ranks.
#include <sstream>
#include <stdexcept>
#include <string>

namespace onedge {

/// Something that the user cannot mend from the deck: the environment, a file system, a bug. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A mistake in the input: deck, command line, data file, output directory. Exit code 2, nothing is written.
class InputError : public Error {
 public:
  using Error::Error;
};

/// The parts, written one after another as a stream would write them.
template <class... Parts>
std::string concat(Parts const&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Throws Error with the concatenated parts unless the condition holds.
template <class... Parts>
void require(bool condition, Parts const&... parts) {
  if (!condition) throw Error(concat(parts...));
}

/// Throws InputError with the concatenated parts unless the condition holds.
template <class... Parts>
void require_input(bool condition, Parts const&... parts) {
  if (!condition) throw InputError(concat(parts...));
}

}  // namespace onedge
