#pragma once
#include <functional>
#include <string>

namespace onedge::comm {

/// Says why, and ends the process with exit code 1. Before that `abort` may end the other ranks, for at most so many
/// seconds: it runs in a thread of its own, since it may never return from a library whose locks a stuck call holds, or
/// that is made for one thread.
[[noreturn]] void end_process(std::string const& reason, std::function<void()> const& abort, double seconds = 10);

}  // namespace onedge::comm
