// Each optimizer against its formula in plain loops, the golden values of a quadratic, restart from saved state, and
// the preconditioner against the update that used it.
#include <onedge/core/error.hpp>
#include <onedge/optimizer/optimizer.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace onedge::optimizer {
namespace {

using Space = HostSpace;
using Values = std::vector<double>;

template <class Real>
class Driver {
 public:
  Driver(OptimizerConfig const& config, std::size_t parameters)
      : m_optimizer(make_optimizer<Real, Space>(config, parameters)),
        m_gradient("onedge::test::gradient", parameters),
        m_update("onedge::test::update", parameters) {}

  Values update(Values const& gradient) {
    for (std::size_t i = 0; i < gradient.size(); ++i) m_gradient(i) = static_cast<Real>(gradient[i]);
    m_optimizer->update(m_space, m_gradient, m_update);
    m_space.fence();
    return read(m_update);
  }

  Values preconditioner() {
    Vector<Real, Space> diagonal("onedge::test::diagonal", m_update.extent(0));
    m_optimizer->preconditioner(m_space, diagonal);
    m_space.fence();
    return read(diagonal);
  }

  Optimizer<Real, Space>& optimizer() { return *m_optimizer; }

 private:
  static Values read(Vector<Real, Space> view) { return Values(view.data(), view.data() + view.extent(0)); }

  Space m_space;
  std::unique_ptr<Optimizer<Real, Space>> m_optimizer;
  Vector<Real, Space> m_gradient;
  Vector<Real, Space> m_update;
};

OptimizerConfig of_kind(std::string const& kind, bool nesterov = false) {
  OptimizerConfig config;
  config.kind = kind;
  config.nesterov = nesterov;
  return config;
}

std::vector<OptimizerConfig> all_kinds() {
  return {of_kind("gd"), of_kind("momentum"), of_kind("momentum", true), of_kind("rmsprop"), of_kind("adam")};
}

/// A gradient for step t that changes sign and size, with an exact zero.
Values some_gradient(int t) { return {std::sin(1.0 + t), 10.0 * std::cos(0.7 * t), 1e-6 * (t - 3), 0.0}; }

/// The losses after each step of f = Σw² from (1, 2, 3).
Values losses_on_square(OptimizerConfig const& config, double learning_rate, int steps) {
  Driver<double> driver(config, 3);
  Values w = {1.0, 2.0, 3.0};
  Values losses;
  for (int t = 0; t < steps; ++t) {
    auto const u = driver.update({2.0 * w[0], 2.0 * w[1], 2.0 * w[2]});
    double loss = 0.0;
    for (std::size_t i = 0; i < 3; ++i) {
      w[i] += learning_rate * u[i];
      loss += w[i] * w[i];
    }
    losses.push_back(loss);
  }
  return losses;
}

void expect_one_decimal(Values const& losses, Values const& golden) {
  ASSERT_EQ(losses.size(), golden.size());
  for (std::size_t t = 0; t < golden.size(); ++t) EXPECT_EQ(std::round(10.0 * losses[t]), std::round(10.0 * golden[t]));
}

TEST(Optimizer, GoldenValuesOnASquare) {
  auto rmsprop = of_kind("rmsprop");
  rmsprop.decay = 0.9;
  expect_one_decimal(losses_on_square(of_kind("gd"), 0.003, 5), {13.8, 13.7, 13.5, 13.3, 13.2});
  expect_one_decimal(losses_on_square(rmsprop, 0.003, 5), {13.9, 13.8, 13.7, 13.7, 13.6});
  expect_one_decimal(losses_on_square(of_kind("adam"), 0.003, 5), {14.0, 13.9, 13.9, 13.9, 13.8});
}

TEST(Optimizer, MomentumIsItsFormula) {
  for (bool const nesterov : {false, true}) {
    auto config = of_kind("momentum", nesterov);
    config.momentum = 0.8;
    Driver<double> driver(config, 4);
    Values m(4, 0.0);
    for (int t = 0; t < 6; ++t) {
      auto const g = some_gradient(t);
      auto const u = driver.update(g);
      for (std::size_t i = 0; i < 4; ++i) {
        m[i] = g[i] + 0.8 * m[i];
        double const expected = nesterov ? -(g[i] + 0.8 * m[i]) : -m[i];
        EXPECT_NEAR(u[i], expected, 1e-14 * (std::abs(g[i]) + std::abs(m[i]))) << "step " << t << " element " << i;
      }
    }
  }
}

TEST(Optimizer, RmsPropIsItsFormulaWithEpsInsideTheRoot) {
  auto config = of_kind("rmsprop");
  config.decay = 0.95;
  config.eps = 1e-4;
  Driver<double> driver(config, 4);
  Values v(4, 0.0);
  for (int t = 0; t < 6; ++t) {
    auto const g = some_gradient(t);
    auto const u = driver.update(g);
    auto const p = driver.preconditioner();
    for (std::size_t i = 0; i < 4; ++i) {
      v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
      EXPECT_NEAR(p[i], std::sqrt(v[i] + 1e-4), 1e-13 * p[i]);
      EXPECT_NEAR(u[i], -g[i] / std::sqrt(v[i] + 1e-4), 1e-13 * std::abs(u[i]));
    }
  }
}

TEST(Optimizer, AdamIsItsFormulaWithBothEps) {
  auto config = of_kind("adam");
  config.beta1 = 0.7;
  config.beta2 = 0.95;
  config.eps = 1e-3;
  config.eps_root = 1e-5;
  Driver<double> driver(config, 4);
  Values m(4, 0.0), v(4, 0.0);
  for (int t = 1; t <= 6; ++t) {
    auto const g = some_gradient(t);
    auto const u = driver.update(g);
    auto const p = driver.preconditioner();
    for (std::size_t i = 0; i < 4; ++i) {
      m[i] = 0.7 * m[i] + 0.3 * g[i];
      v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
      double const root = std::sqrt(v[i] / (1.0 - std::pow(0.95, t)) + 1e-5) + 1e-3;
      double const expected = -m[i] / (1.0 - std::pow(0.7, t)) / root;
      EXPECT_NEAR(p[i], root, 1e-13 * root);
      EXPECT_NEAR(u[i], expected, 1e-13 * std::abs(expected) + 1e-300);
    }
  }
}

TEST(Optimizer, ThePreconditionerOfGdAndMomentumIsOne) {
  for (auto const& config : {of_kind("gd"), of_kind("momentum")}) {
    Driver<double> driver(config, 4);
    EXPECT_FALSE(driver.optimizer().is_preconditioned());
    driver.update(some_gradient(1));
    EXPECT_EQ(driver.preconditioner(), Values(4, 1.0));
  }
  EXPECT_TRUE(Driver<double>(of_kind("rmsprop"), 1).optimizer().is_preconditioned());
  EXPECT_TRUE(Driver<double>(of_kind("adam"), 1).optimizer().is_preconditioned());
}

TEST(Optimizer, AdamHasNoPreconditionerBeforeItsFirstUpdate) {
  Driver<double> driver(of_kind("adam"), 1);
  EXPECT_THROW(driver.preconditioner(), Error);
}

TEST(Optimizer, EdgesOfStability) {
  auto const edge = [](OptimizerConfig const& config) { return Driver<float>(config, 1).optimizer().edge(); };
  EXPECT_DOUBLE_EQ(edge(of_kind("gd")), 2.0);
  EXPECT_DOUBLE_EQ(edge(of_kind("rmsprop")), 2.0);
  EXPECT_DOUBLE_EQ(edge(of_kind("momentum")), 3.8);
  EXPECT_DOUBLE_EQ(edge(of_kind("momentum", true)), 3.8 / 2.8);
  EXPECT_NEAR(edge(of_kind("adam")), 38.0, 1e-12);
}

/// |w| after many steps on ½w² at η = factor · edge, from w = 1. P is 1 for these.
double amplitude(OptimizerConfig const& config, double factor) {
  Driver<double> driver(config, 1);
  double const learning_rate = factor * driver.optimizer().edge();
  double w = 1.0;
  for (int t = 0; t < 400; ++t) w += learning_rate * driver.update({w})[0];
  return std::abs(w);
}

TEST(Optimizer, TheEdgeSeparatesDecayFromGrowth) {
  for (auto const& config : {of_kind("gd"), of_kind("momentum"), of_kind("momentum", true)}) {
    EXPECT_LT(amplitude(config, 0.95), 1e-1);
    EXPECT_GT(amplitude(config, 1.05), 1e1);
  }
}

template <class Real>
void expect_restart_equality(OptimizerConfig const& config) {
  Driver<Real> whole(config, 4), first(config, 4), second(config, 4);
  for (int t = 0; t < 5; ++t) {
    whole.update(some_gradient(t));
    first.update(some_gradient(t));
  }
  auto const from = first.optimizer().vectors();
  auto const into = second.optimizer().vectors();
  ASSERT_EQ(from.size(), into.size());
  for (std::size_t k = 0; k < from.size(); ++k) {
    EXPECT_EQ(from[k].name, into[k].name);
    EXPECT_EQ(from[k].values.extent(0), 4u);
    Kokkos::deep_copy(into[k].values, from[k].values);
  }
  second.optimizer().restore_scalars(first.optimizer().scalars());
  for (int t = 5; t < 8; ++t) EXPECT_EQ(whole.update(some_gradient(t)), second.update(some_gradient(t)));
  EXPECT_EQ(whole.preconditioner(), second.preconditioner());
}

TEST(Optimizer, GoesOnFromSavedState) {
  for (auto const& config : all_kinds()) {
    expect_restart_equality<float>(config);
    expect_restart_equality<double>(config);
  }
}

TEST(Optimizer, NamesOfTheState) {
  Driver<double> adam(of_kind("adam"), 2), rmsprop(of_kind("rmsprop"), 2), momentum(of_kind("momentum"), 2);
  ASSERT_EQ(adam.optimizer().vectors().size(), 2u);
  EXPECT_EQ(adam.optimizer().vectors()[0].name, "first_moment");
  EXPECT_EQ(adam.optimizer().vectors()[1].name, "second_moment");
  EXPECT_EQ(rmsprop.optimizer().vectors().at(0).name, "second_moment");
  EXPECT_EQ(momentum.optimizer().vectors().at(0).name, "momentum");
  EXPECT_TRUE((Driver<double>(of_kind("gd"), 2).optimizer().vectors().empty()));
  EXPECT_THROW(adam.optimizer().restore_scalars({}), Error);
}

TEST(Optimizer, FloatFollowsDouble) {
  for (auto const& config : all_kinds()) {
    Driver<float> single(config, 4);
    Driver<double> full(config, 4);
    for (int t = 0; t < 20; ++t) {
      auto const u = single.update(some_gradient(t));
      auto const expected = full.update(some_gradient(t));
      for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(u[i], expected[i], 2e-4 * std::abs(expected[i]) + 1e-6);
    }
  }
}

TEST(Optimizer, ANotANumberStaysOne) {
  for (auto const& config : all_kinds()) {
    Driver<float> driver(config, 4);
    auto const u = driver.update({std::nan(""), 1.0, 1.0, 1.0});
    EXPECT_TRUE(std::isnan(u[0])) << config.kind;
    EXPECT_TRUE(std::isfinite(u[1])) << config.kind;
  }
}

TEST(Optimizer, AZeroGradientGivesAZeroUpdate) {
  for (auto const& config : all_kinds()) EXPECT_EQ(Driver<double>(config, 4).update(Values(4, 0.0)), Values(4, 0.0));
}

TEST(Optimizer, WrongLengthsAndKindsAreErrors) {
  EXPECT_THROW((make_optimizer<double, Space>(of_kind("sgd"), 3)), Error);
  auto const adam = make_optimizer<double, Space>(of_kind("adam"), 3);
  Vector<double, Space> two("onedge::test::two", 2);
  EXPECT_THROW(adam->update(Space(), two, two), Error);
}

OptimizerConfig bound(std::string const& text) {
  auto const deck = config::Deck::from_text(text, "test.yaml");
  auto const config = OptimizerConfig::bind(deck.root().section("optimizer"));
  deck.check_all_known();
  return config;
}

TEST(OptimizerConfig, ReadsTheKeysOfItsKind) {
  EXPECT_EQ(bound("optimizer: {}").kind, "gd");
  auto const momentum = bound("optimizer: {kind: momentum, momentum: 0.5, nesterov: true}");
  EXPECT_EQ(momentum.momentum, 0.5);
  EXPECT_TRUE(momentum.nesterov);
  EXPECT_EQ(bound("optimizer: {kind: rmsprop}").decay, 0.999);
  auto const adam = bound("optimizer: {kind: adam, beta1: 0.8, beta2: 0.99, eps: 1.0e-4, eps_root: 1.0e-6}");
  EXPECT_EQ(adam.beta1, 0.8);
  EXPECT_EQ(adam.beta2, 0.99);
  EXPECT_EQ(adam.eps, 1e-4);
  EXPECT_EQ(adam.eps_root, 1e-6);
}

TEST(OptimizerConfig, RefusesWhatIsWrong) {
  EXPECT_THROW(bound("optimizer: {kind: sgd}"), InputError);
  EXPECT_THROW(bound("optimizer: {kind: gd, momentum: 0.9}"), InputError);
  EXPECT_THROW(bound("optimizer: {kind: momentum, momentum: 1.0}"), InputError);
  EXPECT_THROW(bound("optimizer: {kind: rmsprop, eps: 0.0}"), InputError);
  EXPECT_THROW(bound("optimizer: {kind: adam, eps: 0.0}"), InputError);
}

TEST(OptimizerConfig, DocumentsEveryKind) {
  auto const deck = config::Deck::for_documentation();
  OptimizerConfig::bind(deck.root().section("optimizer"));
  std::map<std::string, std::string> conditions;
  for (auto const& key : deck.keys()) conditions[key.path + " " + key.condition] = key.default_value;
  EXPECT_EQ(conditions.count("optimizer.kind "), 1u);
  EXPECT_EQ(conditions.count("optimizer.momentum kind: momentum"), 1u);
  EXPECT_EQ(conditions.count("optimizer.eps kind: rmsprop"), 1u);
  EXPECT_EQ(conditions.count("optimizer.eps kind: adam"), 1u);
}

TEST(OptimizerConfig, KnowsTheVectorsOfTheState) {
  for (char const* const kind : {"gd", "momentum", "rmsprop", "adam"}) {
    OptimizerConfig config;
    config.kind = kind;
    auto const made = make_optimizer<float, Space>(config, 3);
    EXPECT_EQ(state_vectors(config), made->vectors().size()) << kind;
  }
}

}  // namespace
}  // namespace onedge::optimizer
