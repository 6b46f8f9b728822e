#pragma once
// Truncated polynomials in ε: the scalar over which element-wise and row-wise operations are written once, so that no
// derivative is typed by hand twice.
#include <onedge/core/kokkos.hpp>

#include <cmath>

namespace onedge::network {

/// c₀ + c₁ε + … + c_Order ε^Order, Order ≤ 2.
template <class Real, int Order>
struct Taylor {
  static_assert(Order >= 0 && Order <= 2);
  using Scalar = Real;
  static constexpr int order = Order;

  Real c[Order + 1];

  KOKKOS_INLINE_FUNCTION static Taylor constant(Real value) {
    Taylor result{};
    result.c[0] = value;
    return result;
  }
  /// value + ε
  KOKKOS_INLINE_FUNCTION static Taylor variable(Real value) {
    Taylor result = constant(value);
    if constexpr (Order >= 1) result.c[1] = Real(1);
    return result;
  }
};

// Orders are written out rather than looped over: only then do compilers keep them in registers and vectorise.

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator+(Taylor<Real, Order> a, Taylor<Real, Order> const& b) {
  a.c[0] += b.c[0];
  if constexpr (Order >= 1) a.c[1] += b.c[1];
  if constexpr (Order >= 2) a.c[2] += b.c[2];
  return a;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator-(Taylor<Real, Order> a, Taylor<Real, Order> const& b) {
  a.c[0] -= b.c[0];
  if constexpr (Order >= 1) a.c[1] -= b.c[1];
  if constexpr (Order >= 2) a.c[2] -= b.c[2];
  return a;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator*(Taylor<Real, Order> const& a, Taylor<Real, Order> const& b) {
  Taylor<Real, Order> result{};
  result.c[0] = a.c[0] * b.c[0];
  if constexpr (Order >= 1) result.c[1] = a.c[0] * b.c[1] + a.c[1] * b.c[0];
  if constexpr (Order >= 2) result.c[2] = a.c[0] * b.c[2] + a.c[1] * b.c[1] + a.c[2] * b.c[0];
  return result;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator+(Taylor<Real, Order> a, Real b) {
  a.c[0] += b;
  return a;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator-(Taylor<Real, Order> a, Real b) {
  a.c[0] -= b;
  return a;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator*(Taylor<Real, Order> a, Real b) {
  a.c[0] *= b;
  if constexpr (Order >= 1) a.c[1] *= b;
  if constexpr (Order >= 2) a.c[2] *= b;
  return a;
}

/// The same coefficients in double.
template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<double, Order> widened(Taylor<Real, Order> const& x) {
  Taylor<double, Order> result{};
  for (int k = 0; k <= Order; ++k) result.c[k] = static_cast<double>(x.c[k]);
  return result;
}

/// f(x(ε)) from f(x₀), f'(x₀) and ½f''(x₀) (Faà di Bruno's formula to second order).
template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> compose(Taylor<Real, Order> const& x, Real value, Real first,
                                                   Real half_second) {
  Taylor<Real, Order> result{};
  result.c[0] = value;
  if constexpr (Order >= 1) result.c[1] = first * x.c[1];
  if constexpr (Order >= 2) result.c[2] = first * x.c[2] + half_second * x.c[1] * x.c[1];
  return result;
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> exp(Taylor<Real, Order> const& x) {
  Real const value = std::exp(x.c[0]);
  return compose(x, value, value, Real(0.5) * value);
}

/// log(1 + x), to all digits of a small x.
template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> log1p(Taylor<Real, Order> const& x) {
  Real const inverse = Real(1) / (Real(1) + x.c[0]);
  return compose(x, Real(std::log1p(x.c[0])), inverse, Real(-0.5) * inverse * inverse);
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> reciprocal(Taylor<Real, Order> const& x) {
  Real const inverse = Real(1) / x.c[0];
  return compose(x, inverse, -inverse * inverse, inverse * inverse * inverse);
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> reciprocal_sqrt(Taylor<Real, Order> const& x) {
  Real const inverse = Real(1) / x.c[0];
  Real const value = std::sqrt(inverse);
  return compose(x, value, Real(-0.5) * value * inverse, Real(0.375) * value * inverse * inverse);
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> tanh(Taylor<Real, Order> const& x) {
  Real const value = std::tanh(x.c[0]);
  Real const first = Real(1) - value * value;
  return compose(x, value, first, -value * first);
}

template <class Real, int Order>
KOKKOS_INLINE_FUNCTION Taylor<Real, Order> erf(Taylor<Real, Order> const& x) {
  Real const first = Real(1.12837916709551257390) * std::exp(-x.c[0] * x.c[0]);  // 2/√π e^{−x²}
  return compose(x, Real(std::erf(x.c[0])), first, -x.c[0] * first);
}

}  // namespace onedge::network
