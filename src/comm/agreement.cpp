#include <onedge/comm/agreement.hpp>

#include <algorithm>
#include <filesystem>
#include <new>
#include <stdexcept>

namespace onedge::comm {

static constexpr char const* too_large =
    "memory does not suffice for what was asked: make the data or the model smaller";

std::string one_line(std::string text) {
  constexpr std::size_t longest = 4000;
  if (text.size() > longest) text = text.substr(0, longest) + "…";
  auto const is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

SharedError failure_of(std::exception const& error) {
  bool const is_memory = dynamic_cast<std::bad_alloc const*>(&error) != nullptr ||
                         dynamic_cast<std::length_error const*>(&error) != nullptr;  // of a vector beyond any memory
  if (is_memory) return {too_large, true};
  if (auto const* const failure = dynamic_cast<std::filesystem::filesystem_error const*>(&error)) {
    // What a user's path leads to: a name too long, a loop of links, a closed folder.
    return {one_line(concat(failure->path1().string(), ": ", failure->code().message())), true};
  }
  return {one_line(error.what()), dynamic_cast<InputError const*>(&error) != nullptr};
}

void agree(Communicator const& communicator, std::function<void()> const& work) {
  std::string outcome;  // empty, or the kind of failure and its message
  try {
    work();
  } catch (std::exception const& error) {
    auto const failure = failure_of(error);
    outcome = concat(failure.is_input_error() ? "i" : "e", failure.what());
  }
  auto const outcomes = communicator.gather(outcome);
  for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
    if (outcomes[rank].empty()) continue;
    std::string const who = rank == 0 ? "" : concat("[rank ", rank, "] ");
    throw SharedError(who + outcomes[rank].substr(1), outcomes[rank].front() == 'i');
  }
}

}  // namespace onedge::comm
