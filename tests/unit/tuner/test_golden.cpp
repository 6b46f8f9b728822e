// Tuners with real optimizers on f = Σw², where everything is known by hand.
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/tuner/cdat.hpp>
#include <onedge/tuner/constant.hpp>
#include <onedge/tuner/hypergradient.hpp>
#include <onedge/tuner/linesearch.hpp>
#include <onedge/tuner/polyak.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

namespace onedge::tuner {
namespace {

using Space = HostSpace;
using Values = std::vector<double>;

double dot(Values const& a, Values const& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// f = Σw² from (1, 2, 3), descended by a tuner and an optimizer.
class Square : public Line {
 public:
  explicit Square(optimizer::OptimizerConfig const& config)
      : m_optimizer(optimizer::make_optimizer<double, Space>(config, 3)) {}

  /// One step; returns η.
  double advance(Tuner& tuner) {
    Vector<double, Space> gradient("onedge::test::gradient", 3), update("onedge::test::update", 3);
    for (std::size_t i = 0; i < 3; ++i) gradient(i) = 2.0 * m_w[i];
    m_optimizer->update(Space(), gradient, update);
    m_u.assign(update.data(), update.data() + 3);
    double const learning_rate = tuner.learning_rate(*this);
    for (std::size_t i = 0; i < 3; ++i) m_w[i] += learning_rate * m_u[i];
    m_previous = m_u;
    ++m_step;
    return learning_rate;
  }
  Values const& weights() const { return m_w; }

  std::int64_t step() const override { return m_step; }
  double epoch() const override { return static_cast<double>(m_step); }
  bool full_batch() const override { return true; }
  double loss() override { return dot(m_w, m_w); }
  double loss_at(double x) override {
    Values w = m_w;
    for (std::size_t i = 0; i < 3; ++i) w[i] += x * m_u[i];
    return dot(w, w);
  }
  double slope() override { return 2.0 * dot(m_w, m_u); }
  double curvature() override { return 2.0 * dot(m_u, m_u); }
  double gauss_newton_curvature() override { return curvature(); }
  double sharpness() override { return 2.0; }
  double preconditioned_sharpness() override { return 2.0; }
  double gradient_norm() override { return 2.0 * std::sqrt(dot(m_w, m_w)); }
  double update_norm() override { return std::sqrt(dot(m_u, m_u)); }
  bool has_previous() const override { return !m_previous.empty(); }
  double previous_slope() override { return 2.0 * dot(m_w, m_previous); }
  double previous_update_norm() override { return std::sqrt(dot(m_previous, m_previous)); }
  void warn(char const*) override { ++m_warnings; }
  int warnings() const { return m_warnings; }

 private:
  std::unique_ptr<optimizer::Optimizer<double, Space>> m_optimizer;
  std::int64_t m_step = 0;
  int m_warnings = 0;
  Values m_w = {1.0, 2.0, 3.0};
  Values m_u;
  Values m_previous;
};

optimizer::OptimizerConfig of_kind(char const* kind) {
  optimizer::OptimizerConfig config;
  config.kind = kind;
  return config;
}

TEST(Golden, ConstantWithEachOptimizer) {
  auto rmsprop = of_kind("rmsprop");
  rmsprop.decay = 0.9;
  std::vector<std::pair<optimizer::OptimizerConfig, Values>> const runs = {
      {of_kind("gd"), {13.8, 13.7, 13.5, 13.3, 13.2}},
      {rmsprop, {13.9, 13.8, 13.7, 13.7, 13.6}},
      {of_kind("adam"), {14.0, 13.9, 13.9, 13.9, 13.8}}};
  for (auto const& [config, golden] : runs) {
    Square square(config);
    Constant tuner({.learning_rate = 0.003});
    for (double const expected : golden) {
      square.advance(tuner);
      EXPECT_EQ(std::round(10.0 * square.loss()), std::round(10.0 * expected)) << config.kind;
    }
  }
}

TEST(Golden, Polyak) {
  Square square(of_kind("gd"));
  Polyak tuner({});
  for (double const expected : {3.5, 0.875, 0.21875, 0.0546875, 0.013671875}) {
    square.advance(tuner);
    EXPECT_NEAR(square.loss(), expected, 1e-13 * expected);
  }
}

TEST(Golden, GreedyCdatLandsOnTheMinimumAndStaysThere) {
  for (auto const* curvature : {"hessian", "gauss_newton"}) {
    Square square(of_kind("gd"));
    Cdat tuner({.sigma = 1.0, .curvature = curvature});
    EXPECT_EQ(square.advance(tuner), 0.5);
    EXPECT_EQ(square.weights(), Values(3, 0.0));
    EXPECT_EQ(square.advance(tuner), 0.0);
    EXPECT_EQ(square.warnings(), 0);
  }
}

TEST(Golden, OnEdgeCdatFlipsTheSignForEver) {
  Square square(of_kind("gd"));
  Cdat tuner({.sigma = 2.0});
  for (int t = 1; t <= 1000; ++t) {
    EXPECT_EQ(square.advance(tuner), 1.0);
    double const sign = t % 2 == 0 ? 1.0 : -1.0;
    ASSERT_EQ(square.weights(), (Values{sign, 2.0 * sign, 3.0 * sign}));
  }
}

TEST(Golden, ParabolicCdatIsExactOnAParabola) {
  Square square(of_kind("gd"));
  Cdat tuner({.sigma = 1.0, .curvature = "parabolic"});
  EXPECT_NEAR(square.advance(tuner), 0.5, 1e-9);
}

TEST(Golden, LinesearchFindsTheGreedyPower) {
  // φ(η) = 14(1 − 2η)², so that c allows η ≤ 1 − c.
  Square square(of_kind("gd"));
  Linesearch tuner({.c = 0.5, .decrease = 0.8});
  EXPECT_DOUBLE_EQ(square.advance(tuner), 0.8 * 0.8 * 0.8 * 0.8);  // 0.8³ = 0.512 > 0.5
}

TEST(Golden, HypergradientGrowsByOnePlusBetaWhileUpdatesAgree) {
  Square square(of_kind("gd"));
  Hypergradient tuner({.initial = 0.01, .beta = 0.1});
  double expected = 0.01;
  for (int t = 0; t < 5; ++t) {
    EXPECT_NEAR(square.advance(tuner), expected, 1e-15);
    expected *= 1.1;
  }
}

}  // namespace
}  // namespace onedge::tuner
