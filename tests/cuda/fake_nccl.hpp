#pragma once
// What the fake NCCL and CUDA of fake_nccl.cpp were asked, and how they behave.
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace onedge::test {

struct FakeNccl {
  void note(std::string const& call) {
    std::lock_guard const lock(mutex);
    calls.push_back(call);
  }
  /// The place of a call among all; −1 where it was not made.
  int place_of(std::string const& call);

  std::mutex mutex;
  std::vector<std::string> calls;
  std::chrono::milliseconds destroy_takes{0};
  std::chrono::milliseconds all_reduce_takes{0};
};

FakeNccl& fake_nccl();

}  // namespace onedge::test
