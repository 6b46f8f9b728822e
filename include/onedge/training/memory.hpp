#pragma once
// How much memory this process may still take.
#include <cstddef>
#include <filesystem>

namespace onedge::training {

/// Where nothing says how much there is.
inline constexpr std::size_t no_memory_limit = ~std::size_t{0};

/// What the control groups of this process leave, of version 1 and 2, and of those above them. Files that the kernel
/// only caches count as free. `root`: of the file system.
std::size_t control_group_bytes(std::filesystem::path const& root = "/");

/// What Slurm grants the job on this node: SLURM_MEM_PER_NODE; SLURM_MEM_PER_CPU times SLURM_CPUS_ON_NODE (without
/// that, times the processors of the ranks here); SLURM_MEM_PER_GPU times SLURM_GPUS_ON_NODE.
std::size_t slurm_bytes(int local_ranks);

/// What is free for one rank: of its device, or, where ranks compute on processor cores, of this node: the least of
/// what the kernel, the control groups and Slurm grant, shared evenly by the ranks that use it, and of what `ulimit -v`
/// leaves. Throws Error where nothing says it; unknown_bytes where a build for devices sees none.
std::size_t free_bytes_per_rank(int local_ranks);
inline constexpr std::size_t unknown_bytes = no_memory_limit;

}  // namespace onedge::training
