#include <onedge/network/loss.hpp>
#include <onedge/network/taylor.hpp>

#include <cmath>

#include "for_each_row.hpp"

namespace onedge::network {

namespace {

/// One row of logits as Taylor scalars, from windows [rows, classes]; planes that do not exist are zero.
template <class Real, class Space, int Order>
struct Logits {
  MatrixWindow<Real const, Space> plane[Order + 1];
  std::size_t i;
  KOKKOS_INLINE_FUNCTION Taylor<Real, Order> operator()(std::size_t j) const {
    Taylor<Real, Order> result{};
    for (int k = 0; k <= Order; ++k) {
      if (plane[k].data() != nullptr) result.c[k] = plane[k](i, j);
    }
    return result;
  }
};

// A loss function gives the value of one row, and its gradient entry by entry, over a Taylor scalar T. `row`: see
// for_each_row.hpp.

/// With δ_j = z_j − z_m, m the largest logit, and S = Σ_{j≠m} exp δ_j: p_j = exp δ_j / (1 + S), ℓ = log(1 + S) −
/// δ_label. Nothing cancels. Where the label is all but certain, it is m, and ℓ = log(1 + S), 1 − p_m = S / (1 + S) and
/// their derivatives are as small as S, to all digits.
struct CrossEntropy {
  template <class T>
  struct Exponentials {
    std::size_t m;
    T largest;  // z_m
    T others;   // S
  };

  template <class T, class Row, class Z>
  KOKKOS_INLINE_FUNCTION static Exponentials<T> exponentials(Row const& row, Z const& z, std::size_t classes) {
    using Real = typename T::Scalar;
    auto const top = row.template largest<Real>(classes, [&](std::size_t j) { return z(j).c[0]; });
    std::size_t const m = row.find(classes, [&](std::size_t j) { return z(j).c[0] == top; });
    T const largest = z(m);
    T others = row.template sum<T>(classes, [&](std::size_t j) { return j == m ? T{} : exp(z(j) - largest); });
    if (!std::isfinite(top)) others.c[0] = top * Real(0);  // NaN: an overflow is no certainty
    return {m, largest, others};
  }
  template <class T, class Row, class Z>
  KOKKOS_INLINE_FUNCTION static Taylor<double, T::order> value(Row const& row, Z const& z, std::size_t classes,
                                                               std::size_t label) {
    auto const [m, largest, others] = exponentials<T>(row, z, classes);
    auto const rest = widened(log1p(others));
    // In double, because fast math may add floats in another order than this.
    return label == m ? rest : rest + widened(largest - z(label));
  }
  template <class T, class Row, class Z, class Write>
  KOKKOS_INLINE_FUNCTION static void gradient(Row const& row, Z const& z, std::size_t classes, std::size_t label,
                                              Write const& write) {
    using Real = typename T::Scalar;
    auto const s = exponentials<T>(row, z, classes);
    T const inverse = reciprocal(s.others + Real(1));
    Real const missing = s.others.c[0] * inverse.c[0];  // 1 − p_m
    row.each(classes, [&](std::size_t j) {
      T p = exp(z(j) - s.largest) * inverse;
      if (j == label) p.c[0] = label == s.m ? -missing : p.c[0] - Real(1);
      write(j, p);
    });
  }
};

struct SquaredError {
  template <class T, class Row, class Z>
  KOKKOS_INLINE_FUNCTION static T value(Row const& row, Z const& z, std::size_t classes, std::size_t label) {
    using Real = typename T::Scalar;
    return row.template sum<T>(classes, [&](std::size_t j) {
      T const difference = z(j) - Real(j == label ? 1 : 0);
      return difference * difference;
    }) * Real(0.5);
  }
  template <class T, class Row, class Z, class Write>
  KOKKOS_INLINE_FUNCTION static void gradient(Row const& row, Z const& z, std::size_t classes, std::size_t label,
                                              Write const& write) {
    using Real = typename T::Scalar;
    row.each(classes, [&](std::size_t j) { write(j, z(j) - Real(j == label ? 1 : 0)); });
  }
};

template <class Real, class Space, int Order>
struct WriteGradient {
  MatrixWindow<Real, Space> target;
  std::size_t i;
  Real weight;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t j, Taylor<Real, Order> const& value) const {
    target(i, j) = weight * value.c[Order];
  }
};

/// weight · coefficient `Order` of the loss of a row.
template <class Real, class Space, class Function, int Order>
struct RowValue {
  Logits<Real, Space, Order> logits;
  VectorWindow<std::int32_t const, Space> labels;
  std::size_t classes;
  double weight;
  template <class Row>
  KOKKOS_INLINE_FUNCTION double operator()(Row const& row, std::size_t i) const {
    Logits<Real, Space, Order> z = logits;
    z.i = i;
    auto const label = static_cast<std::size_t>(labels(i));
    auto const value = Function::template value<Taylor<Real, Order>>(row, z, classes, label);
    return weight * static_cast<double>(value.c[Order]);
  }
};

template <class Real, class Space, class Function, int Order>
struct RowGradient {
  Logits<Real, Space, Order> logits;
  VectorWindow<std::int32_t const, Space> labels;
  MatrixWindow<Real, Space> target;
  Real weight;
  template <class Row>
  KOKKOS_INLINE_FUNCTION void operator()(Row const& row, std::size_t i) const {
    Logits<Real, Space, Order> z = logits;
    z.i = i;
    auto const label = static_cast<std::size_t>(labels(i));
    Function::template gradient<Taylor<Real, Order>>(row, z, target.extent(1), label,
                                                     WriteGradient<Real, Space, Order>{target, i, weight});
  }
};

template <class Real, class Space, class Function>
class RowLoss : public Loss<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;
  using Loss<Real, Space>::Loss;

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      if (order == 0) sum_order<0>(pass, column, 0);
      if (order == 1) sum_order<1>(pass, column, 1);
      if (order == 2) sum_order<2>(pass, column, 2);
    }
  }

  void contract(Pass<Real, Space> const& pass) const override {
    for (int column = 0; column < pass.columns(); ++column) sum_order<2>(pass, column, 1);
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    pass.adds(this->logits());
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      if (order == 0) set_adjoint<0>(pass, column);
      if (order == 1) set_adjoint<1>(pass, column);
    }
  }

  void count_correct(Pass<Real, Space> const& pass) const override {
    Window const z = pass.rows(this->logits(), 0);
    auto const labels = pass.labels();
    std::size_t const classes = z.extent(1);
    Kokkos::parallel_reduce(
        "onedge::Loss::count_correct", range(pass.space(), z.extent(0)),
        KOKKOS_LAMBDA(std::size_t i, double& sum) {
          std::size_t best = 0;
          for (std::size_t j = 1; j < classes; ++j) best = z(i, j) > z(i, best) ? j : best;
          sum += best == static_cast<std::size_t>(labels(i)) ? 1 : 0;
        },
        pass.term(0));
  }

 private:
  /// Adds weight · Σ_rows coefficient `Order` of ℓ(z(ε)), with z(ε) cut off behind plane `highest`.
  template <int Order>
  void sum_order(Pass<Real, Space> const& pass, int column, int highest) const {
    auto const logits = rows_of<Order>(pass, column, highest);
    auto const& z = logits.plane[0];
    sum_over_rows(pass.space(), "onedge::Loss::sum", z.extent(0),
                  RowValue<Real, Space, Function, Order>{logits, pass.labels(), z.extent(1), pass.weight()},
                  pass.term(column));
  }

  template <int Order>
  void set_adjoint(Pass<Real, Space> const& pass, int column) const {
    auto const target = pass.adjoint_rows(this->logits(), Order, column);
    for_each_row(pass.space(), "onedge::Loss::set_adjoint", target.extent(0),
                 RowGradient<Real, Space, Function, Order>{rows_of<Order>(pass, column, Order), pass.labels(), target,
                                                           static_cast<Real>(pass.weight())});
  }

  template <int Order>
  Logits<Real, Space, Order> rows_of(Pass<Real, Space> const& pass, int column, int highest) const {
    Logits<Real, Space, Order> row{};
    for (int k = 0; k <= highest; ++k) {
      if (this->logits().degree >= k) row.plane[k] = pass.rows(this->logits(), k, k == 0 ? 0 : column);
    }
    return row;
  }
};

}  // namespace

template <class Real, class Space>
std::unique_ptr<Loss<Real, Space>> cross_entropy(Value const& logits) {
  return std::make_unique<RowLoss<Real, Space, CrossEntropy>>(logits);
}

template <class Real, class Space>
std::unique_ptr<Loss<Real, Space>> squared_error(Value const& logits) {
  return std::make_unique<RowLoss<Real, Space, SquaredError>>(logits);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                 \
  template std::unique_ptr<Loss<Real, Space>> cross_entropy<Real, Space>(Value const&); \
  template std::unique_ptr<Loss<Real, Space>> squared_error<Real, Space>(Value const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
