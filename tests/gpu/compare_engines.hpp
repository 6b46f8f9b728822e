#pragma once
#include "compare.hpp"
#include "support/engine.hpp"

namespace onedge::test {

/// Loss, gradient and everything along two directions, with the same weights and samples on both.
template <class Real>
void expect_same(Engine<Real, DefaultSpace>& device, Engine<Real, HostSpace>& host) {
  std::vector<std::vector<double>> const directions{host.direction("a"), host.direction("b")};
  auto const on_device = device.evaluate(directions);
  auto const on_host = host.evaluate(directions);
  expect_close<Real>({on_device.loss}, {on_host.loss}, "loss");
  expect_close<Real>(on_device.gradient, on_host.gradient, "gradient");
  expect_close<Real>(on_device.slopes, on_host.slopes, "slopes");
  expect_close<Real>(on_device.contractions, on_host.contractions, "curvatures by contraction");
  expect_close<Real>(on_device.seconds, on_host.seconds, "curvatures by forward 2");
  expect_close<Real>(on_device.gauss_newton_curvatures, on_host.gauss_newton_curvatures, "Gauss-Newton curvatures");
  for (std::size_t c = 0; c < directions.size(); ++c) {
    expect_close<Real>(on_device.products[c], on_host.products[c], "Hv");
    expect_close<Real>(on_device.gauss_newton_products[c], on_host.gauss_newton_products[c], "Gv");
  }
}

}  // namespace onedge::test
