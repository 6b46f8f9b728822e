#pragma once
#include <onedge/training/memory.hpp>
#include <onedge/training/problem.hpp>

#include <string>

namespace onedge::training {

/// What there is for a run on this rank, in bytes.
struct MemoryBudget {
  std::size_t fixed = 0;  ///< taken whatever the micro-batch: samples, vectors of length P, measurements
  std::size_t free = 0;   ///< for that and for planes
};

/// What the samples that are held at once take of it.
struct MemoryPlan {
  std::size_t micro_batch = 0;  ///< samples: a multiple of the block; may be more than this rank has
  std::size_t planes = 0;       ///< bytes of the planes of a micro-batch
};

/// That of a training run. Allocates nothing.
template <class Real, class Space>
MemoryBudget training_budget(Problem<Real, Space> const& problem, TrainingConfig const& config,
                             network::Demand const& demand, int local_ranks);

/// run.micro_batch; with `auto` that which the run had before, where its planes fit; else the most whole blocks whose
/// planes take at most 0.7 of what is left, at least one, at most all samples of the rank that has most. `before`: 0
/// for none. Throws InputError, which names all sizes, when the budget does not suffice.
template <class Real, class Space>
MemoryPlan plan_memory(Problem<Real, Space> const& problem, TrainingConfig const& config, network::Demand const& demand,
                       MemoryBudget const& budget, std::size_t before = 0);

/// The smallest of all ranks, so that one number says what all of them did. Collective.
std::size_t least_micro_batch(comm::Communicator const& communicator, MemoryPlan const& plan);

/// "12.3 MiB"
std::string megabytes(std::size_t bytes);

}  // namespace onedge::training
