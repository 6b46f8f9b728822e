// What launchers say of a process in its environment.
#include <onedge/comm/launch.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace {

using onedge::comm::Launch;

class LaunchTest : public testing::Test {
 protected:
  using Variables = std::vector<std::pair<char const*, char const*>>;
  /// In an environment with these variables and none of any launcher's besides.
  static Launch launch(Variables const& variables) {
    for (char const* const name :
         {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "PMI_RANK", "PMI_SIZE",
          "MPI_LOCALNRANKS", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_NODES"}) {
      unsetenv(name);
    }
    for (auto const& [name, value] : variables) setenv(name, value, 1);
    return onedge::comm::launch_of_this_process();
  }
  static void expect(Launch const& launch, int rank, int size, int local_size) {
    EXPECT_EQ(launch.rank, rank);
    EXPECT_EQ(launch.size, size);
    EXPECT_EQ(launch.local_size, local_size);
  }
};

TEST_F(LaunchTest, Launchers) {
  expect(launch({{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}}), 3,
         8, 4);
  expect(launch({{"PMI_RANK", "1"}, {"PMI_SIZE", "6"}, {"MPI_LOCALNRANKS", "2"}}), 1, 6, 2);
  expect(launch({{"SLURM_PROCID", "4"}, {"SLURM_STEP_NUM_TASKS", "7"}, {"SLURM_STEP_NUM_NODES", "2"}}), 4, 7, 4);
  // mpirun within a step of Slurm that started its daemons.
  expect(launch({{"SLURM_PROCID", "1"},
                 {"SLURM_STEP_NUM_TASKS", "2"},
                 {"OMPI_COMM_WORLD_RANK", "0"},
                 {"OMPI_COMM_WORLD_SIZE", "4"}}),
         0, 4, 4);
}

TEST_F(LaunchTest, AloneOtherwise) {
  expect(launch({}), 0, 1, 1);
  // A job's own shell has tasks, but is none of them.
  expect(launch({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "64"}}), 0, 1, 1);
  for (char const* const odd : {"", "-1", "x", "8", "1e9", "99999999999999999999"}) {
    expect(launch({{"OMPI_COMM_WORLD_RANK", odd}, {"OMPI_COMM_WORLD_SIZE", "8"}}), 0, 1, 1);
  }
}

}  // namespace
