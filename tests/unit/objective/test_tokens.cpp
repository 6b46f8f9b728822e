// Integer inputs and a label per position: a network of characters on all ranks against the network that sees every
// position as a one-hot vector of its own, on one rank.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/select.hpp>
#include <onedge/objective/evaluator.hpp>
#include <onedge/objective/objective.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace onedge;
using Space = DefaultSpace;

constexpr std::size_t samples = 43;  // eleven blocks of 4, the last one short
constexpr std::size_t block = 4;
constexpr std::size_t length = 3;
constexpr std::size_t vocabulary = 5;
constexpr std::size_t width = 4;

data::HostSamples windows(std::size_t first, std::size_t count) {
  RandomStream const text(1, "text");
  data::HostSamples result;
  result.count = count;
  result.features = length;
  for (std::size_t i = first * length; i < (first + count) * length; ++i) {
    result.tokens.push_back(static_cast<std::int32_t>(text.integer(i, vocabulary)));
    result.labels.push_back(static_cast<std::int32_t>(text.integer(i + 1, vocabulary)));
  }
  return result;
}

data::HostSamples one_hot() {
  auto const all = windows(0, samples);
  data::HostSamples result;
  result.count = samples * length;
  result.features = vocabulary;
  result.labels = all.labels;
  for (auto const token : all.tokens) {
    for (std::size_t j = 0; j < vocabulary; ++j) result.reals.push_back(token == static_cast<int>(j) ? 1.0 : 0.0);
  }
  return result;
}

std::unique_ptr<network::Network<double, Space>> build(bool tokens) {
  using network::Initializer;
  auto result = std::make_unique<network::Network<double, Space>>();
  auto& n = *result;
  auto const kernel = Initializer::normal(0.5);
  auto x = tokens ? network::embedding(n, n.tokens(length), "first", vocabulary, width, kernel)
                  : network::dense(n, n.input({vocabulary}), "first", width, kernel);
  x = network::activation(n, x, "tanh");
  x = network::bias(n, network::dense(n, x, "head", vocabulary, kernel), "head", kernel);
  n.finish(network::cross_entropy<double, Space>(x));
  return result;
}

struct Numbers {
  double loss = 0, curvature = 0, gauss_newton = 0, evaluated_loss = 0, accuracy = 0;
  std::vector<double> gradient, product;
};

Numbers compute(MPI_Comm mpi, bool tokens, std::size_t micro_batch, bool reproducible) {
  comm::MpiCommunicator const communicator(mpi);
  auto const network = build(tokens);
  data::BlockPartition const partition(tokens ? samples : samples * length, block, communicator.size());
  int const rank = communicator.rank();
  data::Shard<double, Space> const shard(tokens ? windows(partition.first_sample(rank), partition.sample_count(rank))
                                                : one_hot());
  objective::Objective<double, Space> objective(Space(), *network, shard, partition, communicator,
                                                {micro_batch, reproducible, 0.01});
  std::size_t const count = network->parameters().size();
  Vector<double, Space> w("onedge::test::w", count), u("onedge::test::u", count), g("onedge::test::g", count),
      hv("onedge::test::hv", count);
  auto const w_host = Kokkos::create_mirror_view(w), u_host = Kokkos::create_mirror_view(u);
  RandomStream const random(2, "w");
  for (std::size_t i = 0; i < count; ++i) w_host(i) = random.normal(i), u_host(i) = random.normal(count + i);
  Kokkos::deep_copy(w, w_host);
  Kokkos::deep_copy(u, u_host);
  Numbers result;
  objective.set_point(w);
  result.loss = objective.gradient(g).loss;
  result.curvature = objective.curvature(u);
  result.gauss_newton = objective.gauss_newton_curvature(u);
  objective.product(MatrixWindow<double const, Space>(u.data(), 1, count),
                    MatrixWindow<double, Space>(hv.data(), 1, count));
  objective::Evaluator<double, Space> evaluator(Space(), *network, shard, partition, communicator, 2 * block,
                                                reproducible);
  auto const evaluation = evaluator(w);
  result.evaluated_loss = evaluation.loss, result.accuracy = evaluation.accuracy;
  for (auto const& [from, to] : {std::pair{g, &result.gradient}, std::pair{hv, &result.product}}) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), from);
    to->assign(host.data(), host.data() + count);
  }
  return result;
}

void expect_near(Numbers const& a, Numbers const& b) {
  EXPECT_NEAR(a.loss, b.loss, 1e-12);
  EXPECT_NEAR(a.curvature, b.curvature, 1e-12 * std::abs(b.curvature));
  EXPECT_NEAR(a.gauss_newton, b.gauss_newton, 1e-12 * std::abs(b.gauss_newton));
  EXPECT_NEAR(a.evaluated_loss, b.evaluated_loss, 1e-12);
  EXPECT_DOUBLE_EQ(a.accuracy, b.accuracy);
  ASSERT_EQ(a.gradient.size(), b.gradient.size());
  for (std::size_t i = 0; i < a.gradient.size(); ++i) {
    EXPECT_NEAR(a.gradient[i], b.gradient[i], 1e-13);
    EXPECT_NEAR(a.product[i], b.product[i], 1e-12);
  }
}

TEST(Tokens, AgreeWithOneHotVectorsForAnyMicroBatchAndRanks) {
  auto const alone = compute(MPI_COMM_SELF, false, 0, false);
  EXPECT_GT(alone.accuracy, 0.0);
  EXPECT_LT(alone.accuracy, 1.0);
  for (std::size_t const micro_batch : {std::size_t{0}, block, 3 * block}) {
    expect_near(compute(MPI_COMM_WORLD, true, micro_batch, false), alone);
  }
}

TEST(Tokens, ReproducibleSumsHaveTheSameBitsForAnyMicroBatchAndRanks) {
  auto const alone = compute(MPI_COMM_SELF, true, 0, true);
  expect_near(alone, compute(MPI_COMM_SELF, false, 0, false));
  for (std::size_t const micro_batch : {std::size_t{0}, block, 3 * block}) {
    auto const found = compute(MPI_COMM_WORLD, true, micro_batch, true);
    EXPECT_EQ(found.loss, alone.loss);
    EXPECT_EQ(found.curvature, alone.curvature);
    EXPECT_EQ(found.gauss_newton, alone.gauss_newton);
    EXPECT_EQ(found.evaluated_loss, alone.evaluated_loss);
    EXPECT_EQ(found.gradient, alone.gradient);
    EXPECT_EQ(found.product, alone.product);
  }
}

TEST(Tokens, DataOfAnotherKindAreRefused) {
  comm::MpiCommunicator const communicator(MPI_COMM_SELF);
  data::BlockPartition const partition(samples * length, block, 1);
  data::Shard<double, Space> const shard(one_hot());
  auto const network = build(true);
  EXPECT_THROW((objective::Objective<double, Space>(Space(), *network, shard, partition, communicator, {})), Error);
}

}  // namespace
