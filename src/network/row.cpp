// Row-wise operations. A function gives forward and reverse for one row over any Taylor scalar: forward of order k
// takes coefficient k of y(x(ε)), reverse of order k coefficient k of x̄(x(ε), ȳ(ε)).
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/taylor.hpp>

#include "for_each_row.hpp"

namespace onedge::network {

namespace {

/// The planes of one row as Taylor scalars; planes that do not exist are zero.
template <class Real, int Order>
struct RowReader {
  Real const* plane[Order + 1];
  KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator()(std::size_t j) const {
    Taylor<Real, Order> result{};
    for (int k = 0; k <= Order; ++k) {
      if (plane[k] != nullptr) result.c[k] = plane[k][j];
    }
    return result;
  }
};

template <class Real, int Order>
struct RowWriter {
  Real* target;
  bool adds;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t j, Taylor<Real, Order> const& value) const {
    target[j] = (adds ? target[j] : Real(0)) + value.c[Order];
  }
};

template <class Real>
struct Normalize {
  Real epsilon;

  template <class Row, class Reader, class T>
  KOKKOS_INLINE_FUNCTION void statistics(Row const& row, Reader const& x, std::size_t width, T& mean,
                                         T& inverse) const {
    Real const share = Real(1) / static_cast<Real>(width);
    T const middle = row.template sum<T>(width, x) * share;
    T const squares = row.template sum<T>(width, [&](std::size_t j) { return (x(j) - middle) * (x(j) - middle); });
    mean = middle;
    inverse = reciprocal_sqrt(squares * share + epsilon);
  }

  template <class Row, int Order, class Writer>
  KOKKOS_INLINE_FUNCTION void forward(Row const& row, RowReader<Real, Order> const& x, Writer const& y,
                                      std::size_t width) const {
    Taylor<Real, Order> mean, inverse;
    statistics(row, x, width, mean, inverse);
    row.each(width, [&](std::size_t j) { y(j, (x(j) - mean) * inverse); });
  }

  // y₁ ← the coefficient of first order; Σ_j y₂ w_j, y₂ that of second order
  template <class Row>
  KOKKOS_INLINE_FUNCTION double second_order_sum(Row const& row, RowReader<Real, 2> const& x, Real const* weights,
                                                 Real* y_1, std::size_t width) const {
    Taylor<Real, 2> mean, inverse;
    statistics(row, x, width, mean, inverse);
    return row.template sum<double>(width, [&](std::size_t j) {
      auto const y = (x(j) - mean) * inverse;
      y_1[j] = y.c[1];
      return static_cast<double>(y.c[2]) * static_cast<double>(weights[j]);
    });
  }

  // x̄ = r (ȳ − mean(ȳ) − y mean(ȳ ∘ y)), r the inverse deviation
  template <class Row, int Order, class Writer>
  KOKKOS_INLINE_FUNCTION void reverse(Row const& row, RowReader<Real, Order> const& x,
                                      RowReader<Real, Order> const& y_bar, Writer const& x_bar,
                                      std::size_t width) const {
    using T = Taylor<Real, Order>;
    T mean, inverse;
    statistics(row, x, width, mean, inverse);
    Real const share = Real(1) / static_cast<Real>(width);
    T const sum = row.template sum<T>(width, y_bar) * share;
    T const inner =
        row.template sum<T>(width, [&](std::size_t j) { return y_bar(j) * ((x(j) - mean) * inverse); }) * share;
    row.each(width, [&](std::size_t j) { x_bar(j, inverse * (y_bar(j) - sum - (x(j) - mean) * inverse * inner)); });
  }
};

/// A function's kernels over the rows of windows [rows, width]; row i of an absent plane is absent, too.
template <class Real, class Function, int Order>
struct Rows {
  Function function;
  std::size_t width;
  Real const* x[Order + 1];
  KOKKOS_INLINE_FUNCTION RowReader<Real, Order> reader(Real const* const (&planes)[Order + 1], std::size_t i) const {
    RowReader<Real, Order> result{};
    for (int k = 0; k <= Order; ++k) result.plane[k] = planes[k] == nullptr ? nullptr : planes[k] + i * width;
    return result;
  }
};

template <class Real, class Function, int Order>
struct ForwardRows : Rows<Real, Function, Order> {
  Real* y;
  template <class Row>
  KOKKOS_INLINE_FUNCTION void operator()(Row const& row, std::size_t i) const {
    this->function.forward(row, this->reader(this->x, i), RowWriter<Real, Order>{y + i * this->width, false},
                           this->width);
  }
};

template <class Real, class Function, int Order>
struct ReverseRows : Rows<Real, Function, Order> {
  Real const* y_bar[Order + 1];
  bool adds;
  Real* x_bar;
  template <class Row>
  KOKKOS_INLINE_FUNCTION void operator()(Row const& row, std::size_t i) const {
    this->function.reverse(row, this->reader(this->x, i), this->reader(y_bar, i),
                           RowWriter<Real, Order>{x_bar + i * this->width, adds}, this->width);
  }
};

template <class Real, class Function>
struct ContractRows : Rows<Real, Function, 2> {
  Real const* y_bar;
  Real* y_1;
  template <class Row>
  KOKKOS_INLINE_FUNCTION double operator()(Row const& row, std::size_t i) const {
    return this->function.second_order_sum(row, this->reader(this->x, i), y_bar + i * this->width,
                                           y_1 + i * this->width, this->width);
  }
};

template <class Real, class Space, class Function>
class RowOperation : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;

  RowOperation(std::string name, Value const& x, Function function)
      : Operation<Real, Space>(std::move(name), {x}, x.shape, x.degree == 0 ? 0 : 2), m_function(function) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.rows(this->output(), order, column);
      if (order == 0) forward_order<0>(pass, column, y);
      if (order == 1) forward_order<1>(pass, column, y);
      if (order == 2) forward_order<2>(pass, column, y);
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    bool const adds = pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const x_bar = pass.adjoint_rows(x, order, column);
      if (order == 0) {
        reverse_order<0>(pass, {input_row(pass, 0, column), Window()}, {adjoint_row(pass, 0, column), Window()}, adds,
                         x_bar);
      } else if (pass.gauss_newton()) {
        // The derivative at x₀ alone, applied to ȳ₁.
        reverse_order<0>(pass, {input_row(pass, 0, column), Window()}, {adjoint_row(pass, 1, column), Window()}, adds,
                         x_bar);
      } else {
        reverse_order<1>(pass, {input_row(pass, 0, column), input_row(pass, 1, column)},
                         {adjoint_row(pass, 0, column), adjoint_row(pass, 1, column)}, adds, x_bar);
      }
    }
  }

  void contract(Pass<Real, Space> const& pass) const override {
    Window const x_0 = input_row(pass, 0, 0);
    Window const y_bar = adjoint_row(pass, 0, 0);
    for (int column = 0; column < pass.columns(); ++column) {
      ContractRows<Real, Function> const kernel{
          {m_function, x_0.extent(1), {x_0.data(), input_row(pass, 1, column).data(), nullptr}},
          y_bar.data(),
          pass.rows(this->output(), 1, column).data()};
      sum_over_rows(pass.space(), "onedge::RowOperation::contract", x_0.extent(0), kernel, pass.term(column));
    }
  }

  bool contract_goes_forward() const override { return true; }
  bool reads_output_adjoint() const override { return true; }

 private:
  Window input_row(Pass<Real, Space> const& pass, int order, int column) const {
    return this->input().degree >= order ? Window(pass.rows(this->input(), order, column)) : Window();
  }
  Window adjoint_row(Pass<Real, Space> const& pass, int order, int column) const {
    return pass.adjoint_rows(this->output(), order, order == 0 ? 0 : column);
  }

  template <int Order>
  void forward_order(Pass<Real, Space> const& pass, int column, MatrixWindow<Real, Space> y) const {
    ForwardRows<Real, Function, Order> kernel{{m_function, y.extent(1), {}}, y.data()};
    for (int k = 0; k <= Order; ++k) kernel.x[k] = input_row(pass, k, column).data();
    for_each_row(pass.space(), "onedge::RowOperation::forward", y.extent(0), kernel);
  }

  struct Windows {
    Window plane[2];
  };
  template <int Order>
  void reverse_order(Pass<Real, Space> const& pass, Windows const& x, Windows const& y_bar, bool adds,
                     MatrixWindow<Real, Space> x_bar) const {
    ReverseRows<Real, Function, Order> kernel{{m_function, x_bar.extent(1), {}}, {}, adds, x_bar.data()};
    for (int k = 0; k <= Order; ++k) kernel.x[k] = x.plane[k].data(), kernel.y_bar[k] = y_bar.plane[k].data();
    for_each_row(pass.space(), "onedge::RowOperation::reverse", x_bar.extent(0), kernel);
  }

  Function m_function;
};

}  // namespace

template <class Real, class Space>
Value normalize(Network<Real, Space>& network, Value const& x, double epsilon) {
  return network.apply(std::make_unique<RowOperation<Real, Space, Normalize<Real>>>(
      "normalize", x, Normalize<Real>{static_cast<Real>(epsilon)}));
}

template <class Real, class Space>
Value layer_norm(Network<Real, Space>& network, Value const& x, std::string const& name,
                 Initializer scale_initializer) {
  return bias(network, scale(network, normalize(network, x), name, scale_initializer), name);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                  \
  template Value normalize(Network<Real, Space>&, Value const&, double); \
  template Value layer_norm(Network<Real, Space>&, Value const&, std::string const&, Initializer);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
