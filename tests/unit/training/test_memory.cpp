// How much memory a job may take: control groups of both versions, Slurm's ways to say it, `ulimit -v`.
#include <onedge/training/memory.hpp>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>

namespace onedge::training {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mib = std::size_t{1} << 20;

class ControlGroups : public testing::Test {
 protected:
  void SetUp() override {
    m_root = fs::temp_directory_path() / ("onedge-memory-" + std::to_string(getpid()));
    fs::remove_all(m_root);
  }
  void TearDown() override { fs::remove_all(m_root); }
  void write(std::string const& path, std::string const& text) {
    fs::create_directories((m_root / path).parent_path());
    std::ofstream(m_root / path) << text << "\n";
  }
  void group_1(std::string const& path, std::size_t limit, std::size_t used, std::size_t cached = 0) {
    std::string const base = "sys/fs/cgroup/memory" + path;
    write(base + "/memory.limit_in_bytes", std::to_string(limit));
    write(base + "/memory.usage_in_bytes", std::to_string(used));
    write(base + "/memory.stat", "cache 7\ninactive_file 1\ntotal_inactive_file " + std::to_string(cached));
  }
  void group_2(std::string const& path, std::string const& limit, std::size_t used, std::size_t cached = 0) {
    std::string const base = "sys/fs/cgroup" + path;
    write(base + "/memory.max", limit);
    write(base + "/memory.current", std::to_string(used));
    write(base + "/memory.stat", "anon 5\nactive_file " + std::to_string(cached));
  }
  std::size_t bytes() const { return control_group_bytes(m_root); }

  fs::path m_root;
};

TEST_F(ControlGroups, OfVersionOneCount) {
  write("proc/self/cgroup", "11:cpu,cpuacct:/other\n9:memory:/slurm/uid_0/job_7/step_0\n1:name=systemd:/x\n0::/x");
  EXPECT_EQ(bytes(), no_memory_limit);
  std::size_t const unlimited = 9223372036854771712u;
  group_1("", unlimited, 900 * mib);
  group_1("/slurm/uid_0/job_7", 500 * mib, 100 * mib);
  group_1("/slurm/uid_0/job_7/step_0", unlimited, 50 * mib);
  EXPECT_EQ(bytes(), 400 * mib);
  group_1("/slurm/uid_0/job_7/step_0", 300 * mib, 250 * mib, 30 * mib);
  EXPECT_EQ(bytes(), 80 * mib);
  group_1("/slurm/uid_0/job_7/step_0", 300 * mib, 310 * mib);
  EXPECT_EQ(bytes(), 0u);
}

TEST_F(ControlGroups, OfVersionOneWithSeveralControllersInOneHierarchy) {
  write("proc/self/cgroup", "4:hugetlb,memory:/job\n3:memoryless:/none");
  group_1("/job", 64 * mib, 4 * mib);
  EXPECT_EQ(bytes(), 60 * mib);
}

TEST_F(ControlGroups, OfVersionTwoCountAllTheWayUp) {
  write("proc/self/cgroup", "0::/system.slice/job/step");
  group_2("/system.slice", "1048576000", 0);
  group_2("/system.slice/job", "max", 0);
  group_2("/system.slice/job/step", std::to_string(200 * mib), 150 * mib, 120 * mib);
  EXPECT_EQ(bytes(), 170 * mib);
}

/// The path is that of the host; the container sees its own group at the base.
TEST_F(ControlGroups, OfAContainerLieAtTheBase) {
  write("proc/self/cgroup", "8:memory:/docker/0123\n0::/../..");
  group_1("", 100 * mib, 10 * mib);
  EXPECT_EQ(bytes(), 90 * mib);
  group_2("", std::to_string(80 * mib), 10 * mib);
  EXPECT_EQ(bytes(), 70 * mib);
}

class Slurm : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void clear() {
    for (auto const* const name : {"SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_MEM_PER_GPU", "SLURM_CPUS_ON_NODE",
                                   "SLURM_CPUS_PER_TASK", "SLURM_GPUS_ON_NODE"})
      unsetenv(name);
  }
  static std::size_t bytes(std::map<std::string, std::string> const& variables, int local_ranks = 4) {
    clear();
    for (auto const& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    return slurm_bytes(local_ranks);
  }
};

TEST_F(Slurm, SaysItInThreeWays) {
  EXPECT_EQ(bytes({}), no_memory_limit);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_NODE", "2000"}}), 2000 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_CPU", "500"}, {"SLURM_CPUS_ON_NODE", "16"}}), 8000 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_CPU", "500"}, {"SLURM_CPUS_PER_TASK", "2"}}), 4000 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_CPU", "500"}}), 2000 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_GPU", "3000"}, {"SLURM_GPUS_ON_NODE", "2"}}), 6000 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_NODE", "2G"}}), 2048 * mib);
  EXPECT_EQ(bytes({{"SLURM_MEM_PER_NODE", "0"}}), no_memory_limit);  // all of the node
}

TEST_F(Slurm, BoundsWhatARankMayTake) {
  setenv("SLURM_MEM_PER_CPU", "10", 1);
  setenv("SLURM_CPUS_ON_NODE", "4", 1);
  EXPECT_LE(free_bytes_per_rank(2), 20 * mib);
  EXPECT_LE(free_bytes_per_rank(4), 10 * mib);
}

}  // namespace
}  // namespace onedge::training
