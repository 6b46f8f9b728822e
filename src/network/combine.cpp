#include <onedge/core/error.hpp>
#include <onedge/linalg/sum_over.hpp>
#include <onedge/network/combine.hpp>

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
class Multiply : public Operation<Real, Space> {
 public:
  using Window = ConstantWindow<Real, Space>;

  Multiply(Value const& a, Value const& b) : Operation<Real, Space>("multiply", {a, b}, a.shape, a.degree + b.degree) {}

  // y_k = Σ_i a_i b_{k−i}
  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      bool adds = false;
      for (int i = 0; i <= order; ++i) {
        Window const a = plane(pass, 0, i, column);
        Window const b = plane(pass, 1, order - i, column);
        if (a.data() == nullptr || b.data() == nullptr) continue;
        add_product(pass.space(), a, b, adds, pass.plane(this->output(), order, column));
        adds = true;
      }
    }
  }

  // ā_k += Σ_i ȳ_i b_{k−i}, and the same for b
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    for (int which = 0; which < 2; ++which) {
      Value const& x = this->input(which);
      if (x.degree == 0) continue;
      bool const adds = pass.adds(x);
      for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
        auto const x_bar = pass.adjoint(x, order, column);
        add_product(pass.space(), pass.adjoint(this->output(), order, column), plane(pass, 1 - which, 0, column), adds,
                    x_bar);
        if (order == 1 && !pass.gauss_newton() && this->input(1 - which).degree >= 1) {
          add_product(pass.space(), pass.adjoint(this->output(), 0), plane(pass, 1 - which, 1, column), true, x_bar);
        }
      }
    }
  }

  // s = a₁ b₁
  void contract(Pass<Real, Space> const& pass) const override {
    Window const y_bar = pass.adjoint(this->output(), 0);
    for (int column = 0; column < pass.columns(); ++column) {
      Window const a = plane(pass, 0, 1, column);
      Window const b = plane(pass, 1, 1, column);
      if (a.data() == nullptr || b.data() == nullptr) return;
      linalg::sum_over(
          pass.space(), "onedge::Multiply::contract", a.extent(0), a.extent(1),
          KOKKOS_LAMBDA(std::size_t i, std::size_t j) { return static_cast<double>(a(i, j) * b(i, j)) * y_bar(i, j); },
          pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return true; }

  static void add_product(Space const& space, Window a, Window b, bool adds, MatrixWindow<Real, Space> y) {
    Real const* const left = a.data();
    Real const* const right = b.data();
    Real* const target = y.data();
    Kokkos::parallel_for(
        "onedge::Multiply::add_product", range(space, y.size()),
        KOKKOS_LAMBDA(std::size_t i) { target[i] = (adds ? target[i] : Real(0)) + left[i] * right[i]; });
  }

 private:
  Window plane(Pass<Real, Space> const& pass, int which, int order, int column) const {
    Value const& x = this->input(which);
    return x.degree >= order ? Window(pass.plane(x, order, order == 0 ? 0 : column)) : Window();
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
