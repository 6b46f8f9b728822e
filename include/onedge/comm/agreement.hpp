#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/error.hpp>

#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace onedge::comm {

/// A failure that every rank knows of and leaves by: the message is printed once, and MPI ends in order.
class SharedError : public Error {
 public:
  SharedError(std::string const& message, bool is_input_error) : Error(message), m_is_input_error(is_input_error) {}
  bool is_input_error() const { return m_is_input_error; }

 private:
  bool m_is_input_error;
};

/// A message with other characters in place of those that would break its line or drive a terminal: what comes from a
/// damaged file may hold anything. Cut where it is too long to be read.
std::string one_line(std::string text);

/// Any failure as users get to know it: whether it is their input's, and a message in one line.
SharedError failure_of(std::exception const& error);

/// Runs work on every rank; when it throws on any, throws SharedError on all, with the message of the first such rank.
/// Collective; the work itself must not communicate.
void agree(Communicator const& communicator, std::function<void()> const& work);

/// Rank 0's value, on every rank: what decides how a run goes on must be the same to the last bit, and ranks on unlike
/// processors compute it with other bits. Collective.
template <class Value>
Value of_rank_0(Communicator const& communicator, Value value) {
  static_assert(std::is_trivially_copyable_v<Value>);
  if (communicator.size() > 1) communicator.broadcast(&value, sizeof value, 0);
  return value;
}

/// The same for all values, of the same number on every rank.
inline void share_rank_0(Communicator const& communicator, std::vector<double>& values) {
  if (communicator.size() > 1) communicator.broadcast(values.data(), values.size() * sizeof(double), 0);
}

}  // namespace onedge::comm
