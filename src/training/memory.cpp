#include <onedge/comm/device.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/training/memory.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace onedge::training {

namespace fs = std::filesystem;

namespace {

std::optional<std::size_t> read_number(fs::path const& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  if (file >> value) return value;
  return {};  // absent, or "max"
}

/// The number behind a key in a file of keys and numbers.
std::optional<std::size_t> read_number(fs::path const& path, std::string_view key) {
  std::ifstream file(path);
  std::string word;
  std::size_t value = 0;
  while (file >> word) {
    if (word == key && file >> value) return value;
  }
  return {};
}

std::size_t kernel_bytes() {
  auto const kilobytes = read_number("/proc/meminfo", "MemAvailable:");
  return kilobytes ? *kilobytes * 1024 : no_memory_limit;
}

/// The names that a version of control groups gives its files.
struct ControlGroupFiles {
  fs::path base;
  char const* limit;
  char const* used;
  char const* caches[2];  // in memory.stat
};

std::size_t left_by(fs::path const& group, ControlGroupFiles const& files) {
  auto const limit = read_number(group / files.limit), used = read_number(group / files.used);
  if (!limit || !used) return no_memory_limit;
  std::size_t cached = 0;
  for (char const* const cache : files.caches) cached += read_number(group / "memory.stat", cache).value_or(0);
  std::size_t const bound = *used - std::min(*used, cached);
  return *limit - std::min(*limit, bound);
}

/// The least of a group and all above it. In a container the path may be that outside of it; then only the base is
/// there.
std::size_t left_by_all(std::string const& path, ControlGroupFiles const& files) {
  std::size_t least = left_by(files.base, files);
  fs::path const relative = fs::path(path).lexically_normal().relative_path();
  fs::path group = files.base;
  for (auto const& part : relative) {
    if (part == "..") continue;
    group /= part;
    least = std::min(least, left_by(group, files));
  }
  return least;
}

std::size_t unsigned_variable(char const* name) {
  char const* const text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

/// Megabytes unless a unit stands behind them. 0: not given, or (--mem=0) all of the node.
std::size_t bytes_variable(char const* name) {
  char const* const text = std::getenv(name);
  if (text == nullptr) return 0;
  char* unit = nullptr;
  auto const value = static_cast<std::size_t>(std::strtoull(text, &unit, 10));
  auto const place = std::string_view("KMGT").find(static_cast<char>(std::toupper(static_cast<unsigned char>(*unit))));
  return value << (*unit == '\0' || place == std::string_view::npos ? 20 : 10 * (place + 1));
}

/// What `ulimit -v` leaves this process.
std::size_t address_space_bytes() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return no_memory_limit;
  auto const pages = read_number("/proc/self/statm").value_or(0);
  std::size_t const used = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return limit.rlim_cur - std::min<std::size_t>(limit.rlim_cur, used);
}

}  // namespace

std::size_t control_group_bytes(fs::path const& root) {
  ControlGroupFiles const one{root / "sys/fs/cgroup/memory",
                              "memory.limit_in_bytes",
                              "memory.usage_in_bytes",
                              {"total_inactive_file", "total_active_file"}};
  ControlGroupFiles const two{root / "sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}};
  std::ifstream groups(root / "proc/self/cgroup");
  std::size_t least = no_memory_limit;
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path; version 2 is number 0 without any
    auto const controllers = line.find(':'), path = line.find(':', controllers + 1);
    if (controllers == std::string::npos || path == std::string::npos) continue;
    std::string const names = concat(",", line.substr(controllers + 1, path - controllers - 1), ",");
    if (names == ",,") least = std::min(least, left_by_all(line.substr(path + 1), two));
    if (names.find(",memory,") != std::string::npos) least = std::min(least, left_by_all(line.substr(path + 1), one));
  }
  return least;
}

std::size_t slurm_bytes(int local_ranks) {
  std::size_t least = no_memory_limit;
  auto const grant = [&](std::size_t bytes, std::size_t count) {
    if (bytes > 0 && count > 0) least = std::min(least, bytes * count);
  };
  std::size_t processors = unsigned_variable("SLURM_CPUS_ON_NODE");
  if (processors == 0) {
    processors =
        std::max<std::size_t>(1, unsigned_variable("SLURM_CPUS_PER_TASK")) * static_cast<std::size_t>(local_ranks);
  }
  grant(bytes_variable("SLURM_MEM_PER_NODE"), 1);
  grant(bytes_variable("SLURM_MEM_PER_CPU"), processors);
  grant(bytes_variable("SLURM_MEM_PER_GPU"), unsigned_variable("SLURM_GPUS_ON_NODE"));
  return least;
}

std::size_t free_bytes_per_rank(int local_ranks) {
  if (!is_host_space<DefaultSpace>) {
    std::size_t const devices = comm::visible_devices().size();
    if (devices == 0) return unknown_bytes;
    std::size_t const sharing = (static_cast<std::size_t>(local_ranks) + devices - 1) / devices;
    return comm::free_device_bytes() / sharing;
  }
  std::size_t const bytes = std::min({kernel_bytes(), control_group_bytes(), slurm_bytes(local_ranks)});
  std::size_t const own = address_space_bytes();
  require(std::min(bytes, own) != no_memory_limit, "nothing says how much memory is free here: set run.micro_batch");
  return std::min(bytes / static_cast<std::size_t>(local_ranks), own);
}

}  // namespace onedge::training
