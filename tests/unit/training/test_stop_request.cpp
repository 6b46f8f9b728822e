// Stop requests: signals to any rank, durations, Slurm's end of the job.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/training/stop_request.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>
#include <utility>

#include "support/scratch.hpp"

namespace onedge::training {
namespace {

constexpr std::pair<int, char const*> signals[] = {
    {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};

TEST(StopRequest, ASignalToOneRankReachesAll) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  for (auto const& [number, name] : signals) {
    StopRequest stop(world, 0);
    EXPECT_EQ(stop.reason(), "");
    if (world.rank() == world.size() - 1) {
      std::raise(number);
      std::raise(number);  // forwarded twice, it is still one
    }
    EXPECT_EQ(stop.reason(), name);
  }
}

// Otherwise a job that is put back into the queue after each stop would never end.
TEST(StopRequest, AStopBeforeTheFirstStepWaitsForIt) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  for (auto const& [number, name] : signals) {
    StopSignals const signals_of_main;
    if (world.rank() == world.size() - 1) std::raise(number);
    StopRequest stop(world, 0);
    EXPECT_EQ(stop.asked(), name);
    EXPECT_EQ(stop.reason(), "");
    EXPECT_EQ(stop.reason(), name);
  }
}

// Matrices as large as those of a network: there oneDNN works with a stack pointer of its own.
TEST(StopRequest, SignalsLeaveMatrixProductsAlone) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  constexpr std::size_t m = 128, n = 64, k = 20000;
  std::vector<float> const a(k * m, 0.5F), b(k * n, 2.0F), expected(m * n, 20000.0F);
  std::vector<float> c(m * n);
  StopRequest stop(world, 0);
  EXPECT_EQ(stop.reason(), "");
  pthread_t const self = pthread_self();
  std::atomic<bool> is_done{false};
  std::thread sender([&] {
    // Well within a second: one request.
    auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(600);
    while (!is_done && std::chrono::steady_clock::now() < end) {
      pthread_kill(self, SIGUSR1);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  for (int i = 0; i < 60; ++i) {
    linalg::matmul<float, HostSpace>(HostSpace(), linalg::Transpose::yes, linalg::Transpose::no, 1,
                                     MatrixWindow<float const, HostSpace>(a.data(), k, m),
                                     MatrixWindow<float const, HostSpace>(b.data(), k, n), 0,
                                     MatrixWindow<float, HostSpace>(c.data(), m, n));
    EXPECT_EQ(c, expected);
  }
  is_done = true;
  sender.join();
  EXPECT_EQ(stop.reason(), "SIGUSR1");
}

TEST(StopRequest, AFileOfTheFirstRankReachesAll) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  test::ScratchFolder const folder;
  StopRequest stop(world, 0);
  if (world.rank() == 0) {
    stop.watch(folder / "stop");
    test::spit(folder / "stop", "");
  }
  EXPECT_EQ(stop.asked(), "the file stop");
  StopRequest later(world, 0);
  if (world.rank() == 0) later.watch(folder / "stop");
  EXPECT_EQ(later.reason(), "") << "not before the first step";
  EXPECT_EQ(later.reason(), "the file stop");
}

TEST(StopRequest, TimeIsUpWhenTwoStepsDoNotFit) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  StopRequest stop(world, 30), late(world, 1e-9), none(world, 0);
  EXPECT_EQ(stop.reason(), "");
  EXPECT_EQ(late.reason(), "") << "not before the first step";
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(stop.reason(), "");
  EXPECT_EQ(late.reason(), "its time is nearly up");
  EXPECT_EQ(none.reason(), "");
  StopRequest brief(world, 3);
  brief.reason();
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(brief.reason(), "its time is nearly up") << "two steps of 1.1 s do not fit in 1.9 s";
}

TEST(StopRequest, SlurmsEndOfTheJob) {
  unsetenv("SLURM_JOB_END_TIME");
  EXPECT_FALSE(slurm_walltime());
  setenv("SLURM_JOB_END_TIME", std::to_string(std::time(nullptr) + 1060).c_str(), 1);
  EXPECT_NEAR(slurm_walltime().value(), 1000, 5);
  setenv("SLURM_JOB_END_TIME", "1000", 1);
  EXPECT_GT(slurm_walltime().value(), 0);
  EXPECT_LT(slurm_walltime().value(), 1);
  for (char const* const other : {"", "Unknown", "10 minutes"}) {
    setenv("SLURM_JOB_END_TIME", other, 1);
    EXPECT_FALSE(slurm_walltime()) << other;
  }
  unsetenv("SLURM_JOB_END_TIME");
}

TEST(StopRequest, Durations) {
  EXPECT_EQ(parse_duration("5400"), 5400);
  EXPECT_EQ(parse_duration("1.5e3"), 1500);
  EXPECT_EQ(parse_duration("0.5"), 0.5);
  EXPECT_EQ(parse_duration("1:30:00"), 5400);
  EXPECT_EQ(parse_duration("100:00:01"), 360001);
  EXPECT_EQ(parse_duration("2-01:00:00"), 49 * 3600);
  for (char const* const other : {"", "-1", "1:30", "1:60:00", "1:00:61", "1h", "nan", "1e999", ":00:00"}) {
    EXPECT_FALSE(parse_duration(other)) << other;
  }
}

}  // namespace
}  // namespace onedge::training
