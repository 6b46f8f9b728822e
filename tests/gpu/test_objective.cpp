// Loss, gradient, curvatures and products of an objective on the device against the host's: fast and reproducible, in
// one micro-batch and in several.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/objective/evaluator.hpp>
#include <onedge/objective/objective.hpp>

#include "compare.hpp"
#include "support/small_models.hpp"

namespace {

using namespace onedge;

constexpr std::size_t samples = 75, block = 8;

data::HostSamples make_samples(model::DataShape const& shape) {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = samples;
  result.features = network::size_of(shape.sample);
  bool const is_text = shape.vocabulary > 0;
  for (std::size_t i = 0; i < samples * result.features; ++i) {
    if (is_text) result.tokens.push_back(static_cast<std::int32_t>(x.integer(i, shape.vocabulary)));
    if (!is_text) result.reals.push_back(x.normal(i));
  }
  for (std::size_t i = 0; i < samples * (is_text ? result.features : 1); ++i) {
    result.labels.push_back(static_cast<std::int32_t>(y.integer(i, shape.classes)));
  }
  return result;
}

template <class Real, class Space>
Vector<Real, Space> make_vector(std::size_t count, double scale, char const* name) {
  RandomStream const random(2, name);
  Vector<Real, Space> result("onedge::test::vector", count);
  auto const result_host = Kokkos::create_mirror_view(result);
  for (std::size_t i = 0; i < count; ++i) result_host(i) = static_cast<Real>(scale * random.normal(i));
  Kokkos::deep_copy(result, result_host);
  return result;
}

/// Loss, uᵀHu, uᵀGu, loss and accuracy by the evaluator; then gradient, Hv, Gv.
template <class Real, class Space>
std::vector<std::vector<double>> compute(test::SmallModel const& model, objective::Options const& options) {
  comm::MpiCommunicator const communicator(MPI_COMM_SELF);
  auto const network = model::make_network<Real, Space>(test::model_config(model.keys), model.data);
  data::BlockPartition const partition(samples, block, 1);
  data::Shard<Real, Space> const shard(make_samples(model.data));
  objective::Objective<Real, Space> objective(Space(), *network, shard, partition, communicator, options);
  std::size_t const count = network->parameters().size();
  auto const w = make_vector<Real, Space>(count, 0.5, "w"), u = make_vector<Real, Space>(count, 1, "u");
  Matrix<Real, Space> const vectors("onedge::test::vectors", 3, count);
  auto const row = [&](std::size_t i) { return MatrixWindow<Real, Space>(vectors.data() + i * count, 1, count); };
  objective.reserve({1, false, 1});
  objective.set_point(w);
  double const loss = objective.gradient(VectorWindow<Real, Space>(vectors.data(), count)).loss;
  double const curvature = objective.curvature(u), gauss_newton = objective.gauss_newton_curvature(u);
  MatrixWindow<Real const, Space> const direction(u.data(), 1, count);
  objective.product(direction, row(1));
  objective.product(direction, row(2), true);
  objective::Evaluator<Real, Space> evaluator(Space(), *network, shard, partition, communicator, 2 * block,
                                              options.reproducible);
  auto const evaluation = evaluator(w);
  std::vector<std::vector<double>> result{{loss, evaluation.loss, evaluation.accuracy}, {curvature, gauss_newton}};
  auto const vectors_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), vectors);
  for (std::size_t i = 0; i < 3; ++i) {
    Real const* const begin = vectors_host.data() + i * count;
    result.emplace_back(begin, begin + count);
  }
  return result;
}

class DeviceObjective : public test::Device, public testing::WithParamInterface<test::SmallModel> {
 protected:
  template <class Real>
  static void compare() {
    for (bool const reproducible : {false, true}) {
      for (std::size_t const micro_batch : {0, 16}) {
        objective::Options const options{micro_batch, reproducible, 0.01};
        auto const device = compute<Real, DefaultSpace>(GetParam(), options);
        auto const host = compute<Real, HostSpace>(GetParam(), options);
        char const* const what[] = {"losses", "curvatures", "gradient", "Hv", "Gv"};
        for (std::size_t i = 0; i < host.size(); ++i) test::expect_close<Real>(device[i], host[i], what[i]);
      }
    }
  }
};

TEST_P(DeviceObjective, Float) { compare<float>(); }
TEST_P(DeviceObjective, Double) { compare<double>(); }

/// No atomics, one order: the same bits every time, and with reproducible sums for any micro-batch.
TEST_P(DeviceObjective, HasTheSameBitsAgain) {
  auto const once = compute<float, DefaultSpace>(GetParam(), {0, false, 0.01});
  auto const again = compute<float, DefaultSpace>(GetParam(), {0, false, 0.01});
  EXPECT_EQ(once, again);
  auto const whole = compute<float, DefaultSpace>(GetParam(), {0, true, 0.01});
  auto const parts = compute<float, DefaultSpace>(GetParam(), {16, true, 0.01});
  EXPECT_EQ(whole, parts);
}

INSTANTIATE_TEST_SUITE_P(Models, DeviceObjective, testing::ValuesIn(test::small_models()),
                         [](auto const& tested) { return tested.param.name; });

}  // namespace
