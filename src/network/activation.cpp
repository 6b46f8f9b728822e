#include <onedge/core/error.hpp>
#include <onedge/linalg/sum_over.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/taylor.hpp>

namespace onedge::network {

namespace {

struct Tanh {
  template <class T>
  KOKKOS_INLINE_FUNCTION static T apply(T const& x) {
    return tanh(x);
  }
};

struct GeluTanh {
  template <class T>
  KOKKOS_INLINE_FUNCTION static T apply(T const& x) {
    using Real = typename T::Scalar;
    Real const slope = Real(0.79788456080286535588);  // √(2/π)
    T const inner = (x + x * x * x * Real(0.044715)) * slope;
    return x * (tanh(inner) + Real(1)) * Real(0.5);
  }
};

struct GeluErf {
  template <class T>
  KOKKOS_INLINE_FUNCTION static T apply(T const& x) {
    using Real = typename T::Scalar;
    return x * (erf(x * Real(0.70710678118654752440)) + Real(1)) * Real(0.5);
  }
};

struct Elu {
  template <class T>
  KOKKOS_INLINE_FUNCTION static T apply(T const& x) {
    using Real = typename T::Scalar;
    // x above 0 and eˣ − 1 below, as max(x, 0) + e^min(x, 0) − 1, free of branches around calls: these do not
    // vectorise.
    Real const magnitude = std::abs(x.c[0]);
    Real const exponent = Real(0.5) * (x.c[0] - magnitude);
    Real const exponential = std::exp(exponent);
    return compose(x, Real(0.5) * (x.c[0] + magnitude) + Real(std::expm1(exponent)), exponential,
                   x.c[0] > Real(0) ? Real(0) : Real(0.5) * exponential);
  }
};

template <class Real, class Space, class Function>
class Elementwise : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;

  Elementwise(std::string name, Value const& x)
      : Operation<Real, Space>(std::move(name), {x}, x.shape, x.degree == 0 ? 0 : 2) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    Value const& y = this->output();
    if (order == 0) return value(pass.space(), flat(pass.plane(x, 0)), flat(pass.plane(y, 0)));
    for (int column = 0; column < pass.columns(); ++column) {
      auto const result = flat(pass.plane(y, order, column));
      auto const x_0 = flat(pass.plane(x, 0));
      auto const x_1 = flat(pass.plane(x, 1, column));
      if (order == 1) {
        first<false>(pass.space(), x_0, x_1, result);
      } else if (x.degree >= 2) {
        second<true>(pass.space(), x_0, x_1, flat(pass.plane(x, 2, column)), result);
      } else {
        second<false>(pass.space(), x_0, x_1, x_1, result);
      }
    }
  }

  // x̄₀ += φ' ȳ₀;   x̄₁ += φ' ȳ₁ + φ'' x₁ ȳ₀
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    if (this->input().degree == 0) return;
    if (pass.adds(this->input())) {
      reverse_into<true>(pass, order);
    } else {
      reverse_into<false>(pass, order);
    }
  }

  template <bool adds>
  void reverse_into(Pass<Real, Space> const& pass, int order) const {
    Value const& x = this->input();
    Value const& y = this->output();
    auto const x_0 = flat(pass.plane(x, 0));
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const x_bar = flat(pass.adjoint(x, order, column));
      auto const y_bar = flat(pass.adjoint(y, order, column));
      if (order == 0 || pass.gauss_newton()) {
        first<adds>(pass.space(), x_0, y_bar, x_bar);
      } else {
        reverse_first<adds>(pass.space(), x_0, flat(pass.plane(x, 1, column)), flat(pass.adjoint(y, 0)), y_bar, x_bar);
      }
    }
  }

  // y₁ = φ' x₁;   s = ½ φ'' x₁²
  void contract(Pass<Real, Space> const& pass) const override {
    Window const x_0 = pass.plane(this->input(), 0);
    Window const y_bar = pass.adjoint(this->output(), 0);
    for (int column = 0; column < pass.columns(); ++column) {
      Window const x_1 = pass.plane(this->input(), 1, column);
      MatrixWindow<Real, Space> const y_1 = pass.plane(this->output(), 1, column);
      linalg::sum_over(
          pass.space(), "onedge::Elementwise::contract", x_0.extent(0), x_0.extent(1),
          KOKKOS_LAMBDA(std::size_t i, std::size_t j) {
            auto const y = Function::apply(Taylor<Real, 2>::variable(x_0(i, j)));
            Real const t = x_1(i, j);
            y_1(i, j) = y.c[1] * t;
            return static_cast<double>(y.c[2] * t * t * y_bar(i, j));
          },
          pass.term(column));
    }
  }

  bool contract_goes_forward() const override { return true; }
  bool reads_output_adjoint() const override { return true; }

  using Flat = VectorWindow<Real, Space>;
  using ConstantFlat = VectorWindow<Real const, Space>;
  static Flat flat(MatrixWindow<Real, Space> const& plane) { return Flat(plane.data(), plane.size()); }

  static void value(Space const& space, ConstantFlat x, Flat y) {
    Kokkos::parallel_for(
        "onedge::Elementwise::value", range(space, y.extent(0)),
        KOKKOS_LAMBDA(std::size_t i) { y(i) = Function::apply(Taylor<Real, 0>{{x(i)}}).c[0]; });
  }
  // Whether to add is known at compile time, here and below: compilers then vectorise.
  /// result ← [result +] φ'(x₀) t
  template <bool adds>
  static void first(Space const& space, ConstantFlat x, ConstantFlat t, Flat result) {
    Kokkos::parallel_for(
        "onedge::Elementwise::first", range(space, result.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          auto const y = Function::apply(Taylor<Real, 1>::variable(x(i)));
          result(i) = (adds ? result(i) : Real(0)) + y.c[1] * t(i);
        });
  }
  template <bool has_x_2>
  static void second(Space const& space, ConstantFlat x_0, ConstantFlat x_1, ConstantFlat x_2, Flat y) {
    Kokkos::parallel_for(
        "onedge::Elementwise::second", range(space, y.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          y(i) = Function::apply(Taylor<Real, 2>{{x_0(i), x_1(i), has_x_2 ? x_2(i) : Real(0)}}).c[2];
        });
  }
  /// x̄₁ ← [x̄₁ +] φ' ȳ₁ + φ'' x₁ ȳ₀
  template <bool adds>
  static void reverse_first(Space const& space, ConstantFlat x_0, ConstantFlat x_1, ConstantFlat y_bar_0,
                            ConstantFlat y_bar_1, Flat x_bar) {
    Kokkos::parallel_for(
        "onedge::Elementwise::reverse_first", range(space, x_bar.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          auto const y = Function::apply(Taylor<Real, 2>::variable(x_0(i)));
          x_bar(i) = (adds ? x_bar(i) : Real(0)) + y.c[1] * y_bar_1(i) + Real(2) * y.c[2] * x_1(i) * y_bar_0(i);
        });
  }
};

}  // namespace

template <class Real, class Space>
Value activation(Network<Real, Space>& network, Value const& x, std::string const& name) {
  if (name == "relu") return relu(network, x);
  if (name == "tanh") return network.apply(std::make_unique<Elementwise<Real, Space, Tanh>>(name, x));
  if (name == "gelu") return network.apply(std::make_unique<Elementwise<Real, Space, GeluTanh>>(name, x));
  if (name == "gelu_erf") return network.apply(std::make_unique<Elementwise<Real, Space, GeluErf>>(name, x));
  if (name == "elu") return network.apply(std::make_unique<Elementwise<Real, Space, Elu>>(name, x));
  throw Error(concat("unknown activation ", name));
}

#define ONEDGE_INSTANTIATE(Real, Space) \
  template Value activation(Network<Real, Space>&, Value const&, std::string const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
