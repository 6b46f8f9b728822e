#include <onedge/comm/agreement.hpp>

#include <algorithm>
#include <filesystem>

namespace onedge::comm {

namespace {

/// What comes from a damaged file may hold anything; a message is one line that a person can read.
std::string one_line(std::string text) {
  constexpr std::size_t longest = 4000;
  if (text.size() > longest) text = text.substr(0, longest) + "…";
  auto const is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

}  // namespace

void agree(Communicator const& communicator, std::function<void()> const& work) {
  std::string outcome;  // empty, or the kind of failure and its message
  try {
    work();
  } catch (InputError const& error) {
    outcome = concat("i", error.what());
  } catch (std::filesystem::filesystem_error const& error) {
    // What a user's path leads to: a name too long, a loop of links, a closed folder.
    outcome = concat("i", error.path1().string(), ": ", error.code().message());
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
