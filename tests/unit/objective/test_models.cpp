// Small versions of the paper's networks on all ranks and in any micro-batch against one rank with all samples at once.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/objective/objective.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include "support/small_models.hpp"

namespace {

using namespace onedge;
using Space = DefaultSpace;

constexpr std::size_t samples = 27;  // seven blocks of 4, the last one short
constexpr std::size_t block = 4;

data::HostSamples make_samples(model::DataShape const& shape, std::size_t first, std::size_t count) {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = count;
  result.features = network::size_of(shape.sample);
  for (std::size_t i = first * result.features; i < (first + count) * result.features; ++i) {
    if (shape.vocabulary == 0) {
      result.reals.push_back(x.normal(i));
    } else {
      result.tokens.push_back(static_cast<std::int32_t>(x.integer(i, shape.vocabulary)));
    }
  }
  std::size_t const labels = shape.vocabulary == 0 ? 1 : result.features;
  for (std::size_t i = first * labels; i < (first + count) * labels; ++i) {
    result.labels.push_back(static_cast<std::int32_t>(y.integer(i, shape.classes)));
  }
  return result;
}

/// Loss, curvatures, gradient, Hv and Gv, one after another.
std::vector<double> compute(MPI_Comm mpi, test::SmallModel const& model, std::size_t micro_batch, bool reproducible) {
  comm::MpiCommunicator const communicator(mpi);
  auto const network = model::make_network<double, Space>(test::model_config(model.keys), model.data);
  data::BlockPartition const partition(samples, block, communicator.size());
  int const rank = communicator.rank();
  data::Shard<double, Space> const shard(
      make_samples(model.data, partition.first_sample(rank), partition.sample_count(rank)));
  objective::Objective<double, Space> objective(Space(), *network, shard, partition, communicator,
                                                {micro_batch, reproducible, 0.01});
  std::size_t const count = network->parameters().size();
  Vector<double, Space> w("onedge::test::w", count), u("onedge::test::u", count);
  Matrix<double, Space> vectors("onedge::test::vectors", 3, count);  // g, Hv, Gv
  auto const w_host = Kokkos::create_mirror_view(w), u_host = Kokkos::create_mirror_view(u);
  RandomStream const random(2, "w");
  for (std::size_t i = 0; i < count; ++i) w_host(i) = 0.5 * random.normal(i), u_host(i) = random.normal(count + i);
  Kokkos::deep_copy(w, w_host);
  Kokkos::deep_copy(u, u_host);
  objective.set_point(w);
  std::vector<double> result{objective.gradient(VectorWindow<double, Space>(vectors.data(), count)).loss,
                             objective.curvature(u), objective.gauss_newton_curvature(u)};
  MatrixWindow<double const, Space> const directions(u.data(), 1, count);
  objective.product(directions, MatrixWindow<double, Space>(vectors.data() + count, 1, count));
  objective.product(directions, MatrixWindow<double, Space>(vectors.data() + 2 * count, 1, count), true);
  auto const vectors_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), vectors);
  result.insert(result.end(), vectors_host.data(), vectors_host.data() + vectors_host.size());
  return result;
}

class ModelObjective : public testing::TestWithParam<test::SmallModel> {};

TEST_P(ModelObjective, DoesNotDependOnRanksOrMicroBatch) {
  auto const alone = compute(MPI_COMM_SELF, GetParam(), 0, false);
  double scale = 0;
  for (double const value : alone) scale = std::max(scale, std::abs(value));
  for (std::size_t const micro_batch : {0, 4, 8}) {
    auto const spread = compute(MPI_COMM_WORLD, GetParam(), micro_batch, false);
    ASSERT_EQ(spread.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(spread[i], alone[i], 1e-12 * scale) << i;
  }
}

TEST_P(ModelObjective, HasTheSameBitsWhenReproducible) {
  auto const alone = compute(MPI_COMM_SELF, GetParam(), 0, true);
  for (std::size_t const micro_batch : {4, 8}) {
    EXPECT_EQ(compute(MPI_COMM_WORLD, GetParam(), micro_batch, true), alone);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ModelObjective, testing::ValuesIn(test::small_models()),
                         [](auto const& model) { return model.param.name; });

}  // namespace
