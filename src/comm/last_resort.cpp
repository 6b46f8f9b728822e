#include "last_resort.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

namespace onedge::comm {

void end_process(std::string const& reason, std::function<void()> const& abort, double seconds) {
  std::fprintf(stderr, "onedge: %s\n", reason.c_str());
  std::fflush(stderr);
  std::packaged_task<void()> attempt(abort);
  auto const done = attempt.get_future();
  std::thread(std::move(attempt)).detach();
  done.wait_for(std::chrono::duration<double>(seconds));
  std::_Exit(1);  // no destructor: the main thread may hang in a call that no exception reaches
}

}  // namespace onedge::comm
