#include <onedge/comm/agreement.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace onedge::comm {

static constexpr char const* too_large = "memory does not suffice for what was asked: make the data or the model smaller";

std::string one_line(std::string text) {
  auto const is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

void agree(Communicator const& communicator, std::function<void()> const& work) {
  std::string outcome;  // empty, or the kind of failure and its message
  try {
    work();
  } catch (InputError const& error) {
    outcome = concat("i", error.what());
  } catch (std::bad_alloc const&) {
    outcome = concat("i", too_large);
  } catch (std::length_error const&) {  // of a vector beyond any memory
    outcome = concat("i", too_large);
  } catch (std::exception const& error) {
    outcome = concat("e", error.what());
  }
  auto const outcomes = communicator.gather(outcome);
  for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
    if (outcomes[rank].empty()) continue;
    std::string const who = rank == 0 ? "" : concat("[rank ", rank, "] ");
    throw SharedError(who + one_line(outcomes[rank].substr(1)), outcomes[rank].front() == 'i');
  }
}

}  // namespace onedge::comm
