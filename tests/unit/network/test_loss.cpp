// Cross entropy in single precision keeps its digits however small it is: against the definition in long double on the
// same logits, and behind a network, where nothing but the rounding of the logits is left.
#include <onedge/network/activation.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>

#include <gtest/gtest.h>
#include <support/engine.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace {

using namespace onedge;
using namespace onedge::network;
using Space = DefaultSpace;

/// One sample whose logits are inputs plus parameters, so that gradient and products are the adjoints of the logits.
template <class Real>
test::Build<Real, Space> bare_logits(std::size_t classes) {
  return [=](Network<Real, Space>& net) {
    net.finish(cross_entropy<Real, Space>(bias(net, net.input({classes}), "logits")));
  };
}

template <class Real>
test::Engine<Real, Space> engine_at(std::vector<double> const& logits, std::int32_t label) {
  test::Engine<Real, Space> engine(bare_logits<Real>(logits.size()), {1}, 2, 1);
  engine.inputs() = logits;
  engine.weights().assign(logits.size(), 0.0);
  engine.labels() = {label};
  return engine;
}

struct Exact {
  double loss = 0, curvature = 0;
  std::vector<double> gradient, product;
};

/// By definition: log Σ exp z − z_label, p − e_label, (diag p − ppᵀ)v, with 64 bits of mantissa and differences to the
/// label.
Exact exact(std::vector<double> const& logits, std::size_t label, std::vector<double> const& v) {
  std::size_t const classes = logits.size();
  std::vector<long double> e(classes);
  long double others = 0, mean = 0;
  for (std::size_t j = 0; j < classes; ++j) {
    e[j] = std::exp(static_cast<long double>(logits[j]) - static_cast<long double>(logits[label]));
    if (j != label) others += e[j];
  }
  for (std::size_t j = 0; j < classes; ++j) mean += e[j] / (1 + others) * static_cast<long double>(v[j] - v[label]);
  Exact result;
  result.loss = static_cast<double>(std::log1p(others));
  for (std::size_t j = 0; j < classes; ++j) {
    long double const p = e[j] / (1 + others);
    long double const product = p * (static_cast<long double>(v[j] - v[label]) - mean);
    result.gradient.push_back(static_cast<double>(j == label ? -others / (1 + others) : p));
    result.product.push_back(static_cast<double>(product));
    result.curvature += static_cast<double>(static_cast<long double>(v[j] - v[label]) * product);
  }
  return result;
}

double relative_error(double found, double expected) {
  return found == expected ? 0 : std::abs(found - expected) / std::abs(expected);
}

double relative_error(std::vector<double> const& found, std::vector<double> const& expected) {
  return test::norm(test::combine(found, -1, expected)) / test::norm(expected);
}

float rounded(double x) { return static_cast<float>(x); }

/// Logits, floats, whose loss is about f: those of the others are normal, that of the label is where it must be.
std::vector<double> logits_of_loss(double f, std::size_t classes, std::size_t label, double offset) {
  RandomStream const random(5, "logits");
  std::vector<double> z(classes);
  double others = 0;
  for (std::size_t j = 0; j < classes; ++j) {
    z[j] = rounded(random.normal(j) + offset);
    if (j != label) others += std::exp(z[j] - offset);
  }
  z[label] = rounded(offset + std::log(others) - std::log(std::expm1(f)));
  return z;
}

std::vector<double> direction(std::size_t classes) {
  RandomStream const random(6, "direction");
  std::vector<double> v(classes);
  for (std::size_t j = 0; j < classes; ++j) v[j] = rounded(random.normal(j));
  return v;
}

template <class Real>
void check(std::vector<double> const& logits, std::size_t label, double tolerance) {
  auto const v = direction(logits.size());
  auto const expected = exact(logits, label, v);
  auto const found = engine_at<Real>(logits, static_cast<std::int32_t>(label)).evaluate({v});
  EXPECT_LT(relative_error(found.loss, expected.loss), tolerance);
  EXPECT_LT(relative_error(found.slopes[0], test::dot(expected.gradient, v)), 10 * tolerance);  // signs in the sum
  for (std::size_t j = 0; j < logits.size(); ++j) {
    EXPECT_LT(relative_error(found.gradient[j], expected.gradient[j]), tolerance) << "entry " << j;
  }
  EXPECT_LT(relative_error(found.products[0], expected.product), tolerance);
  EXPECT_LT(relative_error(found.gauss_newton_products[0], expected.product), tolerance);
  EXPECT_LT(relative_error(found.contractions[0], expected.curvature), tolerance);
  EXPECT_LT(relative_error(found.seconds[0], expected.curvature), tolerance);
  EXPECT_LT(relative_error(found.gauss_newton_curvatures[0], expected.curvature), tolerance);
}

TEST(CrossEntropy, KeepsItsDigitsFromTenDownToNothing) {
  for (double const offset : {0.0, 12.0}) {
    for (std::size_t const classes : {2, 3, 10, 100}) {
      for (double f = 10; f > 0.9e-12; f /= std::sqrt(10)) {
        SCOPED_TRACE(testing::Message() << "f = " << f << ", " << classes << " classes, offset " << offset);
        for (std::size_t const label : {std::size_t{0}, classes - 1}) {
          auto const logits = logits_of_loss(f, classes, label, offset);
          check<float>(logits, label, 1e-5);
          check<double>(logits, label, 1e-13);
        }
      }
    }
  }
}

TEST(CrossEntropy, EqualLogitsAndLogitsFarFromZeroAreExactAsWell) {
  check<float>({0, 0, 0, 0}, 2, 1e-6);
  check<float>({-4096, -4096.5, -4095.25}, 1, 1e-6);
  check<float>({65536, 65536, 65535}, 0, 1e-6);
  check<float>({3e4, 2e4, 3e4 - 8}, 2, 1e-6);
}

TEST(CrossEntropy, AnOverflowIsNoCertainty) {
  double const infinity = std::numeric_limits<double>::infinity();
  for (std::size_t const where : {0, 1, 2}) {
    for (std::int32_t const label : {0, 1, 2}) {
      std::vector<double> logits{1, 2, 3};
      logits[where] = infinity;
      auto const found = engine_at<float>(logits, label).evaluate({});
      EXPECT_FALSE(std::isfinite(found.loss)) << where << ", label " << label;
      EXPECT_FALSE(std::isfinite(test::norm(found.gradient)));
      logits[where] = std::nan("");
      EXPECT_TRUE(std::isnan(engine_at<float>(logits, label).evaluate({}).loss)) << where << ", label " << label;
    }
  }
}

/// One sample through two layers, the last `gain` times as large as it was drawn.
template <class Real>
test::Engine<Real, Space> mlp(double gain) {
  auto const build = [](Network<Real, Space>& net) {
    Value const hidden =
        activation(net, dense(net, net.input({5}), "dense_0", 7, Initializer::lecun_normal(5)), "tanh");
    net.finish(cross_entropy<Real, Space>(dense(net, hidden, "dense_1", 4, Initializer::lecun_normal(7))));
  };
  test::Engine<Real, Space> engine(build, {1}, 4, 1);
  auto const& last = engine.network().parameters().tensors().at(1).parameter;
  for (std::size_t i = 0; i < last.size(); ++i) engine.weights()[last.offset + i] *= gain;
  for (double& w : engine.weights()) w = rounded(w);
  for (double& x : engine.inputs()) x = rounded(x);
  return engine;
}

/// A logit is a sum of about ten products, none larger than the gain allows: its rounding is that of numbers of this
/// size, and a change of the logits by δ changes a small loss, its gradient and its curvature by a factor 1 + δ.
TEST(CrossEntropy, BehindANetworkTheErrorFollowsTheRoundingOfTheLogits) {
  double smallest = 1;
  for (double const gain : {1.0, 10.0, 30.0, 60.0, 90.0}) {
    auto single = mlp<float>(gain);
    auto exact = mlp<double>(gain);
    double least = std::numeric_limits<double>::infinity();
    std::int32_t label = 0;
    for (std::int32_t const candidate : {0, 1, 2, 3}) {
      exact.labels() = {candidate};
      double const loss = exact.evaluate({}).loss;
      if (loss < least) least = loss, label = candidate;
    }
    single.labels() = exact.labels() = {label};
    auto v = exact.direction("v");
    for (double& entry : v) entry = rounded(entry);
    auto const a = single.evaluate({v});
    auto const b = exact.evaluate({v});
    double const tolerance = 10 * gain * std::numeric_limits<float>::epsilon();
    EXPECT_LT(relative_error(a.loss, b.loss), tolerance) << "gain " << gain << ", loss " << b.loss;
    EXPECT_LT(relative_error(a.gradient, b.gradient), tolerance) << "gain " << gain;
    EXPECT_LT(relative_error(a.products[0], b.products[0]), 10 * tolerance) << "gain " << gain;
    EXPECT_LT(relative_error(a.contractions[0], b.contractions[0]), 10 * tolerance) << "gain " << gain;
    smallest = std::min(smallest, b.loss);
  }
  EXPECT_LT(smallest, 1e-7);  // where float used to have nothing left
}

}  // namespace
