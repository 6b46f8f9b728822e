// Stop requests: signals to any rank, durations, Slurm's end of the job.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/training/stop_request.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#include "support/scratch.hpp"

namespace onedge::training {
namespace {

TEST(StopRequest, ASignalToOneRankReachesAll) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  for (int const number : {SIGTERM, SIGUSR1, SIGINT}) {
    StopRequest stop(world, 0);
    EXPECT_EQ(stop.reason(), "");
    if (world.rank() == world.size() - 1) {
      std::raise(number);
      std::raise(number);  // forwarded twice, it is still one
    }
    std::string const name = number == SIGTERM ? "SIGTERM" : number == SIGUSR1 ? "SIGUSR1" : "SIGINT";
    EXPECT_EQ(stop.reason(), name);
  }
}

TEST(StopRequest, AFileOfTheFirstRankReachesAll) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  test::ScratchFolder const folder;
  StopRequest stop(world, 0);
  if (world.rank() == 0) {
    stop.watch(folder / "stop");
    test::spit(folder / "stop", "");
  }
  EXPECT_EQ(stop.reason(), "the file stop");
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
