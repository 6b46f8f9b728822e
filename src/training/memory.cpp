#include <onedge/comm/device.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/training/problem.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace onedge::training {

namespace {

constexpr std::size_t no_limit = ~std::size_t{0};

std::optional<std::size_t> read_number(std::filesystem::path const& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  if (file >> value) return value;
  return {};  // absent, or "max"
}

std::size_t kernel_bytes() {
  std::ifstream information("/proc/meminfo");
  std::string key;
  std::size_t kilobytes = 0;
  while (information >> key) {
    if (key == "MemAvailable:" && information >> kilobytes) return kilobytes * 1024;
  }
  return no_limit;
}

/// What the control groups (version 2) above this process leave.
std::size_t control_group_bytes() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  std::size_t least = no_limit;
  while (std::getline(groups, line)) {
    if (line.rfind("0::", 0) != 0) continue;
    std::filesystem::path group = "/sys/fs/cgroup" + line.substr(3);
    for (; group != "/sys/fs/cgroup" && group.has_relative_path(); group = group.parent_path()) {
      auto const limit = read_number(group / "memory.max");
      auto const used = read_number(group / "memory.current");
      if (limit && used) least = std::min(least, *limit > *used ? *limit - *used : 0);
    }
  }
  return least;
}

std::size_t slurm_bytes() {
  char const* const megabytes = std::getenv("SLURM_MEM_PER_NODE");
  if (megabytes == nullptr) return no_limit;
  auto const value = std::strtoull(megabytes, nullptr, 10);
  return value == 0 ? no_limit : static_cast<std::size_t>(value) << 20;
}

}  // namespace

std::size_t free_bytes_per_rank(int local_ranks) {
  if (!is_host_space<DefaultSpace>) {
    std::size_t const devices = comm::visible_devices().size();
    if (devices == 0) return unknown_bytes;
    std::size_t const sharing = (static_cast<std::size_t>(local_ranks) + devices - 1) / devices;
    return comm::free_device_bytes() / sharing;
  }
  std::size_t const bytes = std::min({kernel_bytes(), control_group_bytes(), slurm_bytes()});
  require(bytes != no_limit, "nothing says how much memory is free here: set run.micro_batch");
  return bytes / static_cast<std::size_t>(local_ranks);
}

}  // namespace onedge::training
