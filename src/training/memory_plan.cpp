#include <onedge/core/error.hpp>
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/training/memory_plan.hpp>

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace onedge::training {

namespace {

template <class Real, class Space>
std::size_t plane_bytes(Problem<Real, Space> const& problem, network::Demand demand, std::size_t micro_batch) {
  std::size_t const samples = problem.sample_count();
  // With several micro-batches, curvatures go forward through planes 1 and 2.
  if (micro_batch < samples) demand.forward_curvatures = demand.curvatures > 0;
  return problem.workspace_bytes(std::min(samples, micro_batch), demand);
}

/// All samples of the rank that has most, in whole blocks.
template <class Real, class Space>
std::size_t whole(Problem<Real, Space> const& problem) {
  auto const& partition = problem.step_partition();
  std::size_t blocks = 0;
  for (int rank = 0; rank < partition.ranks(); ++rank) blocks = std::max(blocks, partition.block_count(rank));
  return blocks * partition.block();
}

template <class Real, class Space>
std::size_t automatic(Problem<Real, Space> const& problem, network::Demand const& demand, std::size_t left) {
  constexpr double share = 0.7;
  auto const bytes = static_cast<std::size_t>(share * static_cast<double>(left));
  if (problem.workspace_bytes(problem.sample_count(), demand) <= bytes) return whole(problem);
  std::size_t const block = problem.step_partition().block();
  network::Demand several = demand;
  several.forward_curvatures = demand.curvatures > 0;
  return std::max<std::size_t>(1, bytes / problem.workspace_bytes(block, several)) * block;
}

}  // namespace

std::string megabytes(std::size_t bytes) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / 1048576.0 << " MiB";
  return text.str();
}

template <class Real, class Space>
MemoryBudget training_budget(Problem<Real, Space> const& problem, TrainingConfig const& config,
                             network::Demand const& demand, int local_ranks) {
  return {
      problem.fixed_bytes(4 + optimizer::state_vectors(config.optimizer)) + measurement_bytes(problem, config, demand),
      free_bytes_per_rank(local_ranks)};
}

template <class Real, class Space>
MemoryPlan plan_memory(Problem<Real, Space> const& problem, TrainingConfig const& config, network::Demand const& demand,
                       MemoryBudget const& budget, std::size_t before) {
  std::size_t const left = budget.free - std::min(budget.free, budget.fixed);
  auto const plan_of = [&](std::size_t micro_batch) {
    return MemoryPlan{micro_batch, plane_bytes(problem, demand, micro_batch)};
  };
  auto plan = plan_of(config.micro_batch > 0 ? static_cast<std::size_t>(config.micro_batch)
                      : before > 0           ? before
                                             : automatic(problem, demand, left));
  if (config.micro_batch == 0 && plan.planes > left) plan = plan_of(automatic(problem, demand, left));
  std::size_t const samples = std::min(plan.micro_batch, problem.sample_count());
  require_input(budget.fixed <= budget.free && plan.planes <= left, "not enough memory: a model of ",
                problem.network().parameters().size(), " parameters needs ", megabytes(budget.fixed),
                " per rank for samples, vectors and measurements and ", megabytes(plan.planes), " for the planes of ",
                samples, " samples (run.micro_batch, run.block); free: ", megabytes(budget.free));
  return plan;
}

std::size_t least_micro_batch(comm::Communicator const& communicator, MemoryPlan const& plan) {
  std::size_t least = plan.micro_batch;
  for (auto const& other : communicator.gather(std::to_string(plan.micro_batch))) {
    least = std::min<std::size_t>(least, std::stoull(other));
  }
  return least;
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                             \
  template MemoryBudget training_budget(Problem<Real, Space> const&, TrainingConfig const&, network::Demand const&, \
                                        int);                                                                       \
  template MemoryPlan plan_memory(Problem<Real, Space> const&, TrainingConfig const&, network::Demand const&,       \
                                  MemoryBudget const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
