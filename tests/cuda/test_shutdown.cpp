// The end of NCCL's communicator, in which all ranks wait for each other, and what its watchdog makes of waiting: with
// functions of CUDA and NCCL that only say that they were called, so that no device is needed.
#include <onedge/comm/communicator.hpp>
#include <onedge/core/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "fake_nccl.hpp"
#include "src/comm/nccl_communicator.hpp"

namespace {

using namespace onedge;
using namespace std::chrono_literals;

/// The first of two ranks; the other one does what is wanted.
class FakeHost : public comm::Communicator {
  using Counts = std::vector<std::size_t>;

 public:
  int rank() const override { return 0; }
  int size() const override { return 2; }
  std::string name() const override { return "fake"; }
  void all_reduce(float*, std::size_t) const override {}
  void all_reduce(double*, std::size_t) const override {}
  void all_reduce(std::int64_t*, std::size_t) const override {}
  void exchange(float const*, Counts const&, float*, Counts const&) const override {}
  void exchange(double const*, Counts const&, double*, Counts const&) const override {}
  void all_gather(float*, Counts const&) const override {}
  void all_gather(double*, Counts const&) const override {}
  void reduce_scatter(float const*, float*, Counts const&) const override {}
  void reduce_scatter(double const*, double*, Counts const&) const override {}
  void broadcast(void*, std::size_t, int) const override {}
  std::vector<std::string> gather(std::string const& text) const override { return {text, text}; }
  void barrier() const override {
    std::this_thread::sleep_for(barrier_takes);
    test::fake_nccl().note("barrier of the host");
    require(!barrier_fails, "the other rank is gone");
  }

  std::chrono::milliseconds barrier_takes{0};
  bool barrier_fails = false;
};

class Shutdown : public testing::Test {
 protected:
  Shutdown() {
    auto& fake = test::fake_nccl();
    fake.calls.clear();
    fake.destroy_takes = fake.all_reduce_takes = 0ms;
  }
  /// A communicator with a watchdog of so many seconds, which ends at once.
  void begin_and_end(double seconds) {
    comm::NcclCommunicator const communicator(m_host, nullptr, seconds, [this] { m_aborts = true; });
    float value = 0;
    communicator.all_reduce(&value, 1);
  }
  static int place(char const* call) { return test::fake_nccl().place_of(call); }

  FakeHost m_host;
  std::atomic<bool> m_aborts{false};
};

TEST_F(Shutdown, AllRanksMeetOnTheHostBeforeAnyDestroysItsCommunicator) {
  begin_and_end(50);
  EXPECT_LT(place("ncclAllReduce"), place("cudaStreamSynchronize"));
  EXPECT_LT(place("cudaStreamSynchronize"), place("barrier of the host"));
  EXPECT_LT(place("barrier of the host"), place("ncclCommDestroy"));
  EXPECT_LT(place("ncclCommDestroy"), place("cudaStreamDestroy"));
  ASSERT_GE(place("barrier of the host"), 0);
}

// Rank 0 writes its last checkpoint for longer than the watchdog would wait.
TEST_F(Shutdown, WaitingForTheLastFileIsNoSignOfADeadRank) {
  m_host.barrier_takes = 1500ms;
  test::fake_nccl().destroy_takes = 1500ms;
  begin_and_end(0.1);
  EXPECT_FALSE(m_aborts);
  EXPECT_GE(place("ncclCommDestroy"), 0);
}

TEST_F(Shutdown, NothingIsAskedOfACommunicatorThatIsBeingDestroyed) {
  test::fake_nccl().destroy_takes = 1500ms;
  begin_and_end(50);
  auto const& calls = test::fake_nccl().calls;
  auto const met = std::find(calls.begin(), calls.end(), "barrier of the host");
  EXPECT_EQ(std::find(met, calls.end(), "ncclCommGetAsyncError"), calls.end());
}

TEST_F(Shutdown, AloneNobodyDestroys) {
  m_host.barrier_fails = true;
  begin_and_end(50);
  EXPECT_GE(place("barrier of the host"), 0);
  EXPECT_EQ(place("ncclCommDestroy"), -1);
}

TEST_F(Shutdown, ACallThatHangsEndsTheProcess) {
  test::fake_nccl().all_reduce_takes = 1h;
  EXPECT_EXIT(begin_and_end(0.1), testing::ExitedWithCode(1), "rank 0.*NCCL: all_reduce has made no progress");
}

}  // namespace
