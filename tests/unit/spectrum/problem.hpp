#pragma once
// A small objective to take curvature from, on the ranks of a communicator.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/model/model.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/spectrum/curvature_operator.hpp>

#include <memory>
#include <vector>

namespace onedge::test {

using Space = DefaultSpace;

struct ProblemShape {
  std::size_t samples = 75;  // in blocks of 8, the last one short
  std::size_t features = 6;
  std::vector<std::int64_t> hidden = {9, 8};
  std::size_t classes = 4;
  std::size_t micro_batch = 0;
  bool reproducible = false;
  double weight_decay = 0.01;
};

inline data::HostSamples make_samples(ProblemShape const& shape, std::size_t first, std::size_t count) {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = count;
  result.features = shape.features;
  for (std::size_t i = first * shape.features; i < (first + count) * shape.features; ++i) {
    result.reals.push_back(x.normal(i));
  }
  for (std::size_t i = first; i < first + count; ++i) {
    result.labels.push_back(static_cast<std::int32_t>(y.integer(i, shape.classes)));
  }
  return result;
}

template <class Real>
Vector<Real, Space> to_device(std::vector<double> const& values) {
  Vector<Real, Space> result("onedge::test::vector", values.size());
  auto const result_host = Kokkos::create_mirror_view(result);
  for (std::size_t i = 0; i < values.size(); ++i) result_host(i) = static_cast<Real>(values[i]);
  Kokkos::deep_copy(result, result_host);
  return result;
}

/// An MLP with tanh and cross entropy, its point away from the initial weights.
template <class Real>
struct Problem {
  Problem(MPI_Comm mpi, ProblemShape const& shape)
      : communicator(mpi),
        network(model::make_network<Real, Space>(config_of(shape), {{shape.features}, shape.classes})),
        partition(shape.samples, 8, communicator.size()),
        shard(make_samples(shape, partition.first_sample(communicator.rank()),
                           partition.sample_count(communicator.rank()))),
        objective(Space(), *network, shard, partition, communicator,
                  {shape.micro_batch, shape.reproducible, shape.weight_decay}),
        pool(std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, network->parameters().size())) {
    auto initial = network->parameters().initial_values(5);
    RandomStream const noise(9, "w");
    for (std::size_t i = 0; i < initial.size(); ++i) initial[i] += 0.3 * noise.normal(i);
    point = to_device<Real>(initial);
    objective.set_point(point);
  }
  static model::ModelConfig config_of(ProblemShape const& shape) {
    model::ModelConfig config;
    config.hidden = shape.hidden;
    config.activation = "tanh";
    return config;
  }
  std::size_t parameters() const { return network->parameters().size(); }

  comm::MpiCommunicator communicator;
  std::unique_ptr<network::Network<Real, Space>> network;
  data::BlockPartition partition;
  data::Shard<Real, Space> shard;
  objective::Objective<Real, Space> objective;
  std::shared_ptr<spectrum::VectorPool<Real, Space>> pool;
  Vector<Real, Space> point;
};

/// Sets a column of sharded vectors from whole ones.
template <class Real>
void set_column(spectrum::ShardedVectors<Real, Space> const& vectors, int index, std::vector<double> const& values) {
  auto const target = vectors.column(index);
  auto const target_host = Kokkos::create_mirror_view(target);
  auto const first = vectors.layout().first();
  for (std::size_t i = 0; i < target.extent(0); ++i) target_host(i) = static_cast<Real>(values[first + i]);
  Kokkos::deep_copy(target, target_host);
}

}  // namespace onedge::test
