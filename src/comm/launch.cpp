#include <onedge/comm/launch.hpp>

#include <array>
#include <cstdlib>
#include <optional>

namespace onedge::comm {

namespace {

/// A number that is at least 0, of the environment; nothing where there is none.
std::optional<int> number_of(char const* variable) {
  char const* const text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return {};
  char* end = nullptr;
  long const value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 0 || value > 1 << 30) return {};
  return static_cast<int>(value);
}

struct Variables {
  char const *rank, *size, *local_size, *nodes;
};

// In a job's own shell Slurm sets SLURM_NTASKS, too, but nothing of a step.
constexpr std::array launchers{
    Variables{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", ""},
    Variables{"PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", ""},
    Variables{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "", "SLURM_STEP_NUM_NODES"},
};

}  // namespace

Launch launch_of_this_process() {
  for (auto const& variables : launchers) {
    auto const rank = number_of(variables.rank), size = number_of(variables.size);
    if (!rank || !size || *rank >= *size) continue;
    int const nodes = number_of(variables.nodes).value_or(1);
    int const even = nodes > 0 ? (*size + nodes - 1) / nodes : *size;
    int const local = number_of(variables.local_size).value_or(even);
    return {*rank, *size, local > 0 && local <= *size ? local : *size};
  }
  return {};
}

}  // namespace onedge::comm
