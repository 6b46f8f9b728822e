// One objective on all ranks of the run against the same objective on a single rank, for several micro-batches.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/model/model.hpp>
#include <onedge/objective/evaluator.hpp>
#include <onedge/objective/objective.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace {

using namespace onedge;
using Space = DefaultSpace;

constexpr std::size_t samples = 75;  // ten blocks of 8, the last one short
constexpr std::size_t block = 8;
constexpr std::size_t features = 6;
constexpr std::size_t classes = 3;

data::HostSamples make_samples(std::size_t first, std::size_t count) {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = count;
  result.features = features;
  for (std::size_t i = first * features; i < (first + count) * features; ++i) result.reals.push_back(x.normal(i));
  for (std::size_t i = first; i < first + count; ++i) result.labels.push_back(y.integer(i, classes));
  return result;
}

struct Numbers {
  double loss = 0, data_loss = 0, curvature = 0, gauss_newton = 0, test_loss = 0, accuracy = 0;
  std::vector<double> gradient, product, gauss_newton_product;
  objective::Counts counts;
};

template <class Real>
std::vector<double> to_host(VectorWindow<Real, Space> values) {
  auto const values_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  return {values_host.data(), values_host.data() + values_host.extent(0)};
}

template <class Real>
Vector<Real, Space> to_device(std::vector<double> const& values) {
  Vector<Real, Space> result("onedge::test::vector", values.size());
  auto const result_host = Kokkos::create_mirror_view(result);
  for (std::size_t i = 0; i < values.size(); ++i) result_host(i) = static_cast<Real>(values[i]);
  Kokkos::deep_copy(result, result_host);
  return result;
}

template <class Real>
Numbers compute(MPI_Comm mpi, std::size_t micro_batch, bool reproducible, double weight_decay = 0.01,
                std::size_t tile = 0, bool contracts = false) {
  comm::MpiCommunicator const communicator(mpi);
  model::ModelConfig config;
  config.hidden = {5, 4};
  config.activation = "tanh";
  auto const network = model::make_network<Real, Space>(config, {{features}, classes});
  data::BlockPartition const partition(samples, block, communicator.size());
  int const rank = communicator.rank();
  data::Shard<Real, Space> const shard(make_samples(partition.first_sample(rank), partition.sample_count(rank)));
  objective::Objective<Real, Space> objective(Space(), *network, shard, partition, communicator,
                                              {micro_batch, reproducible, weight_decay, tile});
  if (contracts) objective.reserve({1, false, 0});  // the gradient keeps adjoints, and nothing has room for order 2
  auto initial = network->parameters().initial_values(5);
  RandomStream const noise(9, "u");
  std::vector<double> u(initial.size());
  for (std::size_t i = 0; i < u.size(); ++i) u[i] = noise.normal(i), initial[i] += 0.1 * noise.normal(1000 + i);
  auto const w = to_device<Real>(initial), direction = to_device<Real>(u);
  std::size_t const count = u.size();
  Vector<Real, Space> gradient("onedge::test::g", count), hv("onedge::test::hv", count), gv("onedge::test::gv", count);
  MatrixWindow<Real const, Space> const v(direction.data(), 1, count);
  Numbers result;
  objective.set_point(w);
  auto const losses = objective.gradient(gradient);
  result.loss = losses.loss, result.data_loss = losses.data_loss;
  result.curvature = objective.curvature(direction);
  result.gauss_newton = objective.gauss_newton_curvature(direction);
  objective.product(v, MatrixWindow<Real, Space>(hv.data(), 1, count));
  objective.product(v, MatrixWindow<Real, Space>(gv.data(), 1, count), true);
  EXPECT_NEAR(objective.loss().loss, result.loss, 1e-6 * result.loss);
  result.gradient = to_host<Real>(gradient), result.product = to_host<Real>(hv);
  result.gauss_newton_product = to_host<Real>(gv);
  result.counts = objective.counts();
  objective::Evaluator<Real, Space> evaluator(Space(), *network, shard, partition, communicator, 2 * block,
                                              reproducible);
  auto const evaluation = evaluator(w);
  result.test_loss = evaluation.loss, result.accuracy = evaluation.accuracy;
  return result;
}

double difference(std::vector<double> const& a, std::vector<double> const& b) {
  double largest = 0, scale = 1e-300;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return largest / scale;
}

void expect_near(Numbers const& a, Numbers const& b, double tolerance) {
  EXPECT_NEAR(a.loss, b.loss, tolerance * std::abs(b.loss));
  EXPECT_NEAR(a.data_loss, b.data_loss, tolerance * std::abs(b.data_loss));
  EXPECT_NEAR(a.curvature, b.curvature, tolerance * std::abs(b.curvature));
  EXPECT_NEAR(a.gauss_newton, b.gauss_newton, tolerance * std::abs(b.gauss_newton));
  EXPECT_LT(difference(a.gradient, b.gradient), tolerance);
  EXPECT_LT(difference(a.product, b.product), tolerance);
  EXPECT_LT(difference(a.gauss_newton_product, b.gauss_newton_product), tolerance);
  EXPECT_NEAR(a.test_loss, b.data_loss, tolerance * std::abs(b.data_loss));
  EXPECT_DOUBLE_EQ(a.accuracy, b.accuracy);
}

void expect_same_bits(Numbers const& a, Numbers const& b) {
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.data_loss, b.data_loss);
  EXPECT_EQ(a.curvature, b.curvature);
  EXPECT_EQ(a.gauss_newton, b.gauss_newton);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(a.product, b.product);
  EXPECT_EQ(a.gauss_newton_product, b.gauss_newton_product);
  EXPECT_EQ(a.test_loss, b.test_loss);
  EXPECT_EQ(a.accuracy, b.accuracy);
}

TEST(Objective, FastAgreesForAnyMicroBatchAndRanks) {
  auto const alone = compute<double>(MPI_COMM_SELF, 0, false);
  for (std::size_t const micro_batch : {std::size_t{0}, block, 2 * block, 5 * block}) {
    expect_near(compute<double>(MPI_COMM_WORLD, micro_batch, false), alone, 1e-12);
  }
}

TEST(Objective, FastAgreesForAnyTile) {
  auto const alone = compute<double>(MPI_COMM_SELF, 0, false);
  for (std::size_t const micro_batch : {std::size_t{0}, 5 * block}) {
    for (std::size_t const tile : {block, 2 * block, std::size_t{11}}) {
      expect_near(compute<double>(MPI_COMM_WORLD, micro_batch, false, 0.01, tile), alone, 1e-12);
    }
  }
}

TEST(Objective, ContractionAgreesWithTwoForwardOrders) {
  auto const forward = compute<double>(MPI_COMM_SELF, 0, false);
  for (std::size_t const tile : {std::size_t{0}, block}) {
    expect_near(compute<double>(MPI_COMM_WORLD, 0, false, 0.01, tile, true), forward, 1e-12);
  }
}

TEST(Objective, ReproducibleHasTheSameBitsForAnyMicroBatchAndRanksDouble) {
  auto const alone = compute<double>(MPI_COMM_SELF, 0, true);
  expect_near(alone, compute<double>(MPI_COMM_SELF, 0, false), 1e-12);
  for (std::size_t const micro_batch : {std::size_t{0}, block, 3 * block}) {
    expect_same_bits(compute<double>(MPI_COMM_WORLD, micro_batch, true), alone);
  }
}

TEST(Objective, ReproducibleHasTheSameBitsForAnyMicroBatchAndRanksFloat) {
  auto const alone = compute<float>(MPI_COMM_SELF, 0, true);
  expect_near(alone, compute<float>(MPI_COMM_SELF, 0, false), 2e-5);
  for (std::size_t const micro_batch : {std::size_t{0}, block, 3 * block}) {
    expect_same_bits(compute<float>(MPI_COMM_WORLD, micro_batch, true), alone);
  }
}

TEST(Objective, EveryRankHasTheSameBits) {
  auto const here = compute<float>(MPI_COMM_WORLD, 2 * block, false);
  double values[] = {here.loss, here.curvature, here.gradient[0], here.product[3]};
  double const mine[] = {values[0], values[1], values[2], values[3]};
  MPI_Bcast(values, 4, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  EXPECT_EQ(std::memcmp(values, mine, sizeof mine), 0);
}

TEST(Objective, WeightDecayEntersOnce) {
  auto const with = compute<double>(MPI_COMM_WORLD, block, false, 0.5);
  auto const without = compute<double>(MPI_COMM_WORLD, block, false, 0.0);
  EXPECT_NEAR(with.data_loss, without.data_loss, 1e-12);
  RandomStream const noise(9, "u");
  double squared_norm = 0;
  for (std::size_t i = 0; i < with.gradient.size(); ++i) {
    double const u = noise.normal(i);
    squared_norm += u * u;
    EXPECT_NEAR(with.product[i] - without.product[i], 0.5 * u, 1e-12);
  }
  EXPECT_NEAR(with.curvature - without.curvature, 0.5 * squared_norm, 1e-10);
  EXPECT_NEAR(with.gauss_newton - without.gauss_newton, 0.5 * squared_norm, 1e-10);
}

TEST(Objective, CountsWhatWasComputed) {
  auto const counts = compute<double>(MPI_COMM_WORLD, 0, false).counts;
  EXPECT_EQ(counts.losses, 1);
  EXPECT_EQ(counts.gradients, 1);
  EXPECT_EQ(counts.curvatures, 2);
  EXPECT_EQ(counts.products, 2);
}

}  // namespace
