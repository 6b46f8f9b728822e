// Row-wise operations. A function gives forward and reverse for one row over any Taylor scalar: forward of order k
// takes coefficient k of y(x(ε)), reverse of order k coefficient k of x̄(x(ε), ȳ(ε)).
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/taylor.hpp>

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

  template <class Reader, class T>
  KOKKOS_INLINE_FUNCTION void statistics(Reader const& x, std::size_t width, T& mean, T& inverse) const {
    Real const share = Real(1) / static_cast<Real>(width);
    T sum{};
    for (std::size_t j = 0; j < width; ++j) sum = sum + x(j);
    mean = sum * share;
    T squares{};
    for (std::size_t j = 0; j < width; ++j) squares = squares + (x(j) - mean) * (x(j) - mean);
    inverse = reciprocal_sqrt(squares * share + epsilon);
  }

  template <int Order, class Writer>
  KOKKOS_INLINE_FUNCTION void forward(RowReader<Real, Order> const& x, Writer const& y, std::size_t width) const {
    Taylor<Real, Order> mean, inverse;
    statistics(x, width, mean, inverse);
    for (std::size_t j = 0; j < width; ++j) y(j, (x(j) - mean) * inverse);
  }

  // x̄ = r (ȳ − mean(ȳ) − y mean(ȳ ∘ y)), r the inverse deviation
  template <int Order, class Writer>
  KOKKOS_INLINE_FUNCTION void reverse(RowReader<Real, Order> const& x, RowReader<Real, Order> const& y_bar,
                                      Writer const& x_bar, std::size_t width) const {
    using T = Taylor<Real, Order>;
    T mean, inverse;
    statistics(x, width, mean, inverse);
    T sum{}, inner{};
    for (std::size_t j = 0; j < width; ++j) {
      sum = sum + y_bar(j);
      inner = inner + y_bar(j) * ((x(j) - mean) * inverse);
    }
    Real const share = Real(1) / static_cast<Real>(width);
    sum = sum * share;
    inner = inner * share;
    for (std::size_t j = 0; j < width; ++j) {
      x_bar(j, inverse * (y_bar(j) - sum - (x(j) - mean) * inverse * inner));
    }
  }
};

/// Adds values(j).c[2] · weights(j) up: the contraction of one row.
template <class Real>
struct SecondOrderSum {
  Real const* weights;
  double* sum;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t j, Taylor<Real, 2> const& value) const {
    *sum += static_cast<double>(value.c[2]) * static_cast<double>(weights[j]);
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
    Function const function = m_function;
    Window const x_0 = input_row(pass, 0, 0);
    Window const y_bar = adjoint_row(pass, 0, 0);
    std::size_t const width = x_0.extent(1);
    for (int column = 0; column < pass.columns(); ++column) {
      Window const x_1 = input_row(pass, 1, column);
      Kokkos::parallel_reduce(
          "onedge::RowOperation::contract", range(pass.space(), x_0.extent(0)),
          KOKKOS_LAMBDA(std::size_t i, double& sum) {
            RowReader<Real, 2> const x{{x_0.data() + i * width, x_1.data() + i * width, nullptr}};
            double row = 0;
            function.forward(x, SecondOrderSum<Real>{y_bar.data() + i * width, &row}, width);
            sum += row;
          },
          pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return true; }

  template <int Order>
  void forward_order(Pass<Real, Space> const& pass, int column, MatrixWindow<Real, Space> y) const {
    Function const function = m_function;
    Window const x_0 = input_row(pass, 0, column);
    Window const x_1 = Order >= 1 ? input_row(pass, 1, column) : Window();
    Window const x_2 = Order >= 2 ? input_row(pass, 2, column) : Window();
    std::size_t const width = y.extent(1);
    Kokkos::parallel_for(
        "onedge::RowOperation::forward", range(pass.space(), y.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          RowReader<Real, Order> x{};
          Real const* const all[3] = {x_0.data(), x_1.data(), x_2.data()};
          for (int k = 0; k <= Order; ++k) x.plane[k] = all[k] == nullptr ? nullptr : all[k] + i * width;
          function.forward(x, RowWriter<Real, Order>{y.data() + i * width, false}, width);
        });
  }

  struct Windows {
    Window plane[2];
  };
  template <int Order>
  void reverse_order(Pass<Real, Space> const& pass, Windows const& x_planes, Windows const& y_bar_planes, bool adds,
                     MatrixWindow<Real, Space> x_bar) const {
    Function const function = m_function;
    Windows const xs = x_planes;
    Windows const y_bars = y_bar_planes;
    std::size_t const width = x_bar.extent(1);
    Kokkos::parallel_for(
        "onedge::RowOperation::reverse", range(pass.space(), x_bar.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          RowReader<Real, Order> x{}, y_bar{};
          for (int k = 0; k <= Order; ++k) {
            x.plane[k] = xs.plane[k].data() + i * width;
            y_bar.plane[k] = y_bars.plane[k].data() + i * width;
          }
          function.reverse(x, y_bar, RowWriter<Real, Order>{x_bar.data() + i * width, adds}, width);
        });
  }

 private:
  Window input_row(Pass<Real, Space> const& pass, int order, int column) const {
    return this->input().degree >= order ? Window(pass.rows(this->input(), order, column)) : Window();
  }
  Window adjoint_row(Pass<Real, Space> const& pass, int order, int column) const {
    return pass.adjoint_rows(this->output(), order, order == 0 ? 0 : column);
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
