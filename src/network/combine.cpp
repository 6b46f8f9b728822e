#include <onedge/core/error.hpp>
#include <onedge/network/combine.hpp>

#include "activation_product.hpp"

namespace onedge::network {

namespace {

template <class Real, class Space>
using ConstantWindow = MatrixWindow<Real const, Space>;

template <class Real, class Space>
class Add : public Operation<Real, Space> {
 public:
  using Window = ConstantWindow<Real, Space>;

  Add(Value const& a, Value const& b) : Operation<Real, Space>("add", {a, b}, a.shape, std::max(a.degree, b.degree)) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      sum(pass.space(), plane(pass, 0, order, column), plane(pass, 1, order, column),
          pass.plane(this->output(), order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    // b first: where the output overwrites a, ā is ȳ itself.
    for (int which = 1; which >= 0; --which) {
      Value const& x = this->input(which);
      if (x.degree == 0) continue;
      bool const adds = pass.adds(x);
      for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
        auto const y_bar = pass.adjoint(this->output(), order, column);
        auto const x_bar = pass.adjoint(x, order, column);
        if (x_bar.data() == y_bar.data()) continue;
        sum(pass.space(), y_bar, adds ? Window(x_bar) : Window(), x_bar);
      }
    }
  }

  bool in_place() const override { return true; }

  /// y ← a + b; an empty one is left out.
  static void sum(Space const& space, Window a, Window b, MatrixWindow<Real, Space> y) {
    Real const* const left = a.data();
    Real const* const right = b.data();
    Real* const target = y.data();
    Kokkos::parallel_for(
        "onedge::Add::sum", range(space, y.size()), KOKKOS_LAMBDA(std::size_t i) {
          target[i] = (left != nullptr ? left[i] : Real(0)) + (right != nullptr ? right[i] : Real(0));
        });
  }

 private:
  Window plane(Pass<Real, Space> const& pass, int which, int order, int column) const {
    Value const& x = this->input(which);
    return x.degree >= order ? Window(pass.plane(x, order, column)) : Window();
  }
};

template <class Real, class Space>
class Multiply : public ActivationProduct<Real, Space> {
 public:
  using typename ActivationProduct<Real, Space>::Constant, typename ActivationProduct<Real, Space>::Window;

  Multiply(Value const& a, Value const& b) : ActivationProduct<Real, Space>("multiply", a, b, a.shape) {}

  /// y ← [y +] a ∘ b.
  static void add_product(Space const& space, Constant a, Constant b, bool adds, Window y) {
    Real const* const left = a.data();
    Real const* const right = b.data();
    Real* const target = y.data();
    Kokkos::parallel_for(
        "onedge::Multiply::add_product", range(space, y.size()),
        KOKKOS_LAMBDA(std::size_t i) { target[i] = (adds ? target[i] : Real(0)) + left[i] * right[i]; });
  }

 protected:
  void multiply(Pass<Real, Space> const& pass, Constant a, Constant b, bool adds, Window y) const override {
    add_product(pass.space(), a, b, adds, y);
  }
  void pull_back(Pass<Real, Space> const& pass, int, Constant y_bar, Constant other, bool adds,
                 Window x_bar) const override {
    add_product(pass.space(), y_bar, other, adds, x_bar);
  }
};

}  // namespace

template <class Real, class Space>
Value add(Network<Real, Space>& network, Value const& a, Value const& b) {
  require(a.size() == b.size(), "add: sizes ", a.size(), " and ", b.size());
  return network.apply(std::make_unique<Add<Real, Space>>(a, b));
}

template <class Real, class Space>
Value multiply(Network<Real, Space>& network, Value const& a, Value const& b) {
  require(a.size() == b.size(), "multiply: sizes ", a.size(), " and ", b.size());
  return network.apply(std::make_unique<Multiply<Real, Space>>(a, b));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                  \
  template Value add(Network<Real, Space>&, Value const&, Value const&); \
  template Value multiply(Network<Real, Space>&, Value const&, Value const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
