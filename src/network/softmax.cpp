// Softmax y of x, from its own planes: along any curve, dy = y ∘ (dx − ⟨y, dx⟩), and the adjoint map is the same. So
// the planes of y above 0 and the adjoints of x are coefficients of y ∘ (t − ⟨y, t⟩), with t = x' or ȳ, and no
// exponential is taken twice.
#include <onedge/core/error.hpp>
#include <onedge/network/softmax.hpp>
#include <onedge/network/taylor.hpp>

#include "for_each_row.hpp"

namespace onedge::network {

namespace {

/// Row i of a matrix, in so far as it takes part.
struct Rows {
  std::size_t width;
  bool causal;
  KOKKOS_INLINE_FUNCTION std::size_t known(std::size_t i) const { return causal ? i % width + 1 : width; }
};

/// One row of planes as Taylor scalars, plane k weighted by factor[k].
template <class Real, int Order>
struct PlaneRow {
  Real const* plane[Order + 1];
  Real factor[Order + 1];
  KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator()(std::size_t j) const {
    Taylor<Real, Order> result;
    result.c[0] = factor[0] * plane[0][j];
    if constexpr (Order == 1) result.c[1] = factor[1] * plane[1][j];
    return result;
  }
  KOKKOS_INLINE_FUNCTION PlaneRow from(std::size_t offset) const {
    PlaneRow result = *this;
    for (int k = 0; k <= Order; ++k) result.plane[k] += offset;
    return result;
  }
};

/// y ← softmax(x).
template <class Real>
struct Exponentials {
  Rows rows;
  Real const* x;
  Real* y;
  template <class Row>
  KOKKOS_INLINE_FUNCTION void operator()(Row const& row, std::size_t i) const {
    std::size_t const known = rows.known(i);
    Real const* const source = x + i * rows.width;
    Real* const target = y + i * rows.width;
    Real const largest = row.template largest<Real>(known, [=](std::size_t j) { return source[j]; });
    Real const sum = row.template sum<Real>(known, [=](std::size_t j) {
      Real const value = std::exp(source[j] - largest);
      target[j] = value;
      return value;
    });
    Real const share = Real(1) / sum;
    row.each(known, [=](std::size_t j) { target[j] *= share; });
    row.each(rows.width - known, [=](std::size_t j) { target[known + j] = Real(0); });
  }
};

/// result ← [result +] factor · coefficient `Order` of y ∘ (t − ⟨y, t⟩).
template <class Real, int Order>
struct Project {
  Rows rows;
  PlaneRow<Real, Order> y, t;
  Real factor;
  bool adds;
  Real* result;
  template <class Row>
  KOKKOS_INLINE_FUNCTION void operator()(Row const& row, std::size_t i) const {
    std::size_t const known = rows.known(i);
    PlaneRow<Real, Order> const y_row = y.from(i * rows.width), t_row = t.from(i * rows.width);
    Real* const target = result + i * rows.width;
    auto const inner = row.template sum<Taylor<Real, Order>>(known, [=](std::size_t j) { return y_row(j) * t_row(j); });
    Real const scale = factor;
    if (adds) {
      row.each(known, [=](std::size_t j) { target[j] += scale * (y_row(j) * (t_row(j) - inner)).c[Order]; });
      return;
    }
    row.each(known, [=](std::size_t j) { target[j] = scale * (y_row(j) * (t_row(j) - inner)).c[Order]; });
    row.each(rows.width - known, [=](std::size_t j) { target[known + j] = Real(0); });
  }
};

/// ½ Σ_j ȳ_j · coefficient 1 of y ∘ (t − ⟨y, t⟩).
template <class Real>
struct SecondOrderSum {
  Rows rows;
  PlaneRow<Real, 1> y, t;
  Real const* y_bar;
  template <class Row>
  KOKKOS_INLINE_FUNCTION double operator()(Row const& row, std::size_t i) const {
    std::size_t const known = rows.known(i);
    PlaneRow<Real, 1> const y_row = y.from(i * rows.width), t_row = t.from(i * rows.width);
    Real const* const weights = y_bar + i * rows.width;
    auto const inner = row.template sum<Taylor<Real, 1>>(known, [=](std::size_t j) { return y_row(j) * t_row(j); });
    return 0.5 * row.template sum<double>(known, [=](std::size_t j) {
      return static_cast<double>((y_row(j) * (t_row(j) - inner)).c[1]) * static_cast<double>(weights[j]);
    });
  }
};

template <class Real, class Space>
class Softmax : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real, Space>;

  Softmax(Value const& x, bool causal)
      : Operation<Real, Space>("softmax", {x}, x.shape, x.degree == 0 ? 0 : 2), m_rows{x.width(), causal} {}

  // k y_k = coefficient k − 1 of y ∘ (x' − ⟨y, x'⟩), x' = x₁ + 2x₂ε
  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    Value const& y = this->output();
    if (order == 0) {
      auto const target = pass.rows(y, 0);
      return for_each_row(pass.space(), "onedge::Softmax::exponentials", target.extent(0),
                          Exponentials<Real>{m_rows, pass.rows(x, 0).data(), target.data()});
    }
    for (int column = 0; column < pass.columns(); ++column) {
      PlaneRow<Real, 0> const y_0{{pass.plane(y, 0).data()}, {1}};
      PlaneRow<Real, 0> const x_1{{pass.plane(x, 1, column).data()}, {1}};
      if (order == 1) {
        project<0>(pass.space(), y_0, x_1, Real(1), false, pass.rows(y, 1, column));
      } else {
        project<1>(pass.space(), planes(pass, column), slopes(pass, column), Real(0.5), false, pass.rows(y, 2, column));
      }
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    Value const& y = this->output();
    if (x.degree == 0) return;
    bool const adds = pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const x_bar = pass.adjoint_rows(x, order, column);
      Real const* const y_bar = pass.adjoint(y, order, column).data();
      if (order == 0 || pass.gauss_newton()) {
        PlaneRow<Real, 0> const y_0{{pass.plane(y, 0).data()}, {1}};
        project<0>(pass.space(), y_0, PlaneRow<Real, 0>{{y_bar}, {1}}, Real(1), adds, x_bar);
      } else {
        PlaneRow<Real, 1> const y_bars{{pass.adjoint(y, 0).data(), y_bar}, {1, 1}};
        project<1>(pass.space(), planes(pass, column), y_bars, Real(1), adds, x_bar);
      }
    }
  }

  // s = ½ coefficient 1 of y ∘ (x₁ − ⟨y, x₁⟩)
  void contract(Pass<Real, Space> const& pass) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    auto const y_bar = pass.adjoint_rows(this->output(), 0);
    for (int column = 0; column < pass.columns(); ++column) {
      Real const* const x_1 = pass.plane(x, 1, column).data();
      SecondOrderSum<Real> const kernel{m_rows, planes(pass, column), {{x_1, x_1}, {1, 0}}, y_bar.data()};
      sum_over_rows(pass.space(), "onedge::Softmax::contract", y_bar.extent(0), kernel, pass.term(column));
    }
  }

  bool reads_output() const override { return true; }
  bool reads_output_adjoint() const override { return this->input().degree > 0; }

 private:
  template <int Order>
  void project(Space const& space, PlaneRow<Real, Order> const& y, PlaneRow<Real, Order> const& t, Real factor,
               bool adds, Window result) const {
    for_each_row(space, "onedge::Softmax::project", result.extent(0),
                 Project<Real, Order>{m_rows, y, t, factor, adds, result.data()});
  }
  PlaneRow<Real, 1> planes(Pass<Real, Space> const& pass, int column) const {
    Value const& y = this->output();
    return {{pass.plane(y, 0).data(), pass.plane(y, 1, column).data()}, {1, 1}};
  }
  /// x' = x₁ + 2x₂ε.
  PlaneRow<Real, 1> slopes(Pass<Real, Space> const& pass, int column) const {
    Value const& x = this->input();
    Real const* const x_1 = pass.plane(x, 1, column).data();
    if (x.degree < 2) return {{x_1, x_1}, {1, 0}};
    return {{x_1, pass.plane(x, 2, column).data()}, {1, 2}};
  }

  Rows m_rows;
};

}  // namespace

template <class Real, class Space>
Value softmax(Network<Real, Space>& network, Value const& x, bool causal) {
  require(!causal || (x.shape.size() >= 2 && x.shape[x.shape.size() - 2] == x.width()),
          "softmax: causal scores are square");
  return network.apply(std::make_unique<Softmax<Real, Space>>(x, causal));
}

#define ONEDGE_INSTANTIATE(Real, Space) template Value softmax(Network<Real, Space>&, Value const&, bool);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
