#pragma once
// The engine's passes against each other and against central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine.hpp"

namespace onedge::test {

/// uᵀHu three ways, uᵀGu two ways, H and G symmetric, G not negative: three directions at once.
template <class Real, class Space>
void check_identities(Engine<Real, Space>& engine, double tolerance) {
  std::vector<std::vector<double>> const v{engine.direction("a"), engine.direction("b"), engine.direction("c")};
  auto const r = engine.evaluate(v);
  double const scale = std::abs(r.contractions[0]) + std::abs(r.contractions[1]) + std::abs(r.contractions[2]);
  ASSERT_GT(scale, 0.0);
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(r.slopes[c], dot(r.gradient, v[c]), tolerance * (1 + norm(r.gradient) * norm(v[c])));
    EXPECT_NEAR(r.contractions[c], r.seconds[c], tolerance * scale) << "contraction and forward 2";
    EXPECT_NEAR(r.contractions[c], dot(v[c], r.products[c]), tolerance * scale) << "contraction and u.(Hu)";
    double const quadratic = dot(v[c], r.gauss_newton_products[c]);
    EXPECT_NEAR(r.gauss_newton_curvatures[c], quadratic, tolerance * scale) << "Gauss-Newton";
    EXPECT_GE(r.gauss_newton_curvatures[c], 0.0);
    EXPECT_GE(quadratic, -tolerance * scale);
    for (int d = 0; d < c; ++d) {
      EXPECT_NEAR(dot(v[d], r.products[c]), dot(v[c], r.products[d]), tolerance * scale) << "H symmetric";
      EXPECT_NEAR(dot(v[d], r.gauss_newton_products[c]), dot(v[c], r.gauss_newton_products[d]), tolerance * scale)
          << "G symmetric";
    }
  }
}

/// log₂ of the ratio of a central difference's errors at steps h and h/2 is 2. `difference(±h)` evaluates; the quotient
/// is compared with `exact`.
template <class Real, class Space, class Evaluate>
void check_order(Engine<Real, Space>& engine, std::vector<double> const& exact, Evaluate const& evaluate, double step) {
  auto const w = engine.weights();
  auto const v = engine.direction("a");
  std::vector<double> errors;
  for (double const h : {step, step / 2}) {
    engine.weights() = combine(w, h, v);
    auto const plus = evaluate();
    engine.weights() = combine(w, -h, v);
    auto difference = combine(plus, -1, evaluate());
    for (double& value : difference) value /= 2 * h;
    errors.push_back(norm(combine(difference, -1, exact)));
  }
  engine.weights() = w;
  if (errors[0] < 1e-9 * norm(exact)) return;  // quadratic functions have no error to speak of
  EXPECT_NEAR(std::log2(errors[0] / errors[1]), 2.0, 0.1);
}

template <class Real, class Space>
void check_gradient_order(Engine<Real, Space>& engine, double step = 1e-3) {
  std::vector<double> const exact{dot(engine.evaluate({}).gradient, engine.direction("a"))};
  check_order(
      engine, exact, [&] { return std::vector<double>{engine.evaluate({}).loss}; }, step);
}

template <class Real, class Space>
void check_product_order(Engine<Real, Space>& engine, double step = 1e-3) {
  auto const exact = engine.evaluate({engine.direction("a")}).products[0];
  check_order(
      engine, exact, [&] { return engine.evaluate({}).gradient; }, step);
}

/// Two engines on the same samples, cut differently.
template <class Real, class Space>
void check_same(Engine<Real, Space>& one, Engine<Real, Space>& other, double tolerance) {
  auto const v = one.direction("a");
  auto const a = one.evaluate({v}), b = other.evaluate({v});
  EXPECT_NEAR(a.loss, b.loss, tolerance * std::abs(a.loss));
  EXPECT_LT(norm(combine(a.gradient, -1, b.gradient)), tolerance * (1 + norm(a.gradient)));
  EXPECT_LT(norm(combine(a.products[0], -1, b.products[0])), tolerance * (1 + norm(a.products[0])));
  EXPECT_NEAR(a.contractions[0], b.contractions[0], 10 * tolerance * (1 + std::abs(a.contractions[0])));
}

}  // namespace onedge::test
