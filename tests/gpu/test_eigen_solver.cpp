// λ₁ … λ₃ of a Hessian, by Anasazi on vectors of the device, against those of the host.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/model/model.hpp>
#include <onedge/spectrum/curvature_operator.hpp>
#include <onedge/spectrum/eigen_tracker.hpp>

#include "compare.hpp"

namespace {

using namespace onedge;

constexpr std::size_t samples = 75, features = 6, classes = 4;

data::HostSamples make_samples() {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = samples;
  result.features = features;
  for (std::size_t i = 0; i < samples * features; ++i) result.reals.push_back(x.normal(i));
  for (std::size_t i = 0; i < samples; ++i) result.labels.push_back(static_cast<std::int32_t>(y.integer(i, classes)));
  return result;
}

template <class Real, class Space>
std::vector<double> eigenvalues(double solver_tolerance) {
  comm::MpiCommunicator const communicator(MPI_COMM_SELF);
  model::ModelConfig config;
  config.hidden = {9, 8};
  config.activation = "tanh";
  auto const network = model::make_network<Real, Space>(config, {{features}, classes});
  data::BlockPartition const partition(samples, 8, 1);
  data::Shard<Real, Space> const shard(make_samples());
  objective::Objective<Real, Space> objective(Space(), *network, shard, partition, communicator, {0, false, 0.01});
  auto initial = network->parameters().initial_values(5);
  RandomStream const noise(9, "w");
  Vector<Real, Space> point("onedge::test::point", initial.size());
  auto const point_host = Kokkos::create_mirror_view(point);
  for (std::size_t i = 0; i < initial.size(); ++i) {
    point_host(i) = static_cast<Real>(initial[i] + 0.3 * noise.normal(i));
  }
  Kokkos::deep_copy(point, point_host);
  objective.set_point(point);
  auto const pool = std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, initial.size());
  spectrum::CurvatureOperator<Real, Space> const hessian(objective, pool->layout(), false);
  spectrum::EigenTracker<Real, Space> tracker({"krylov_schur", solver_tolerance, 2000}, 3, 1);
  spectrum::ShardedVectors<Real, Space> hint(pool, 1);
  hint.fill(0);
  auto const pairs = tracker.measure(hessian, hint, 0);
  EXPECT_TRUE(pairs.converged[0] && pairs.converged[1] && pairs.converged[2]);
  return pairs.values;
}

class DeviceEigenSolver : public test::Device {};

// The error of an eigenvalue is about the square of the solver's tolerance.
TEST_F(DeviceEigenSolver, Float) {
  test::expect_close<float>(eigenvalues<float, DefaultSpace>(1e-3), eigenvalues<float, HostSpace>(1e-3), "eigenvalues");
}
TEST_F(DeviceEigenSolver, Double) {
  test::expect_close<double>(eigenvalues<double, DefaultSpace>(1e-8), eigenvalues<double, HostSpace>(1e-8),
                             "eigenvalues");
}

}  // namespace
