#include <onedge/core/error.hpp>
#include <onedge/linalg/sum_over.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/feature.hpp>

namespace onedge::network {

namespace {

template <class Real, class Space>
std::size_t column_scratch(Operation<Real, Space> const& operation, std::size_t samples) {
  Value const& y = operation.output();
  return linalg::column_sum_work<Space>(samples * y.size() / y.width(), y.width());
}

template <class Real, class Space>
VectorWindow<Real, Space> column_work(Pass<Real, Space> const& pass, Operation<Real, Space> const& operation) {
  std::size_t const size = column_scratch(operation, pass.samples());
  return VectorWindow<Real, Space>(pass.scratch(1, size).data(), size);
}

template <class Real, class Space>
class Bias : public Operation<Real, Space> {
 public:
  Bias(Value const& x, Parameter bias)
      : Operation<Real, Space>("bias", {x}, x.shape, x.degree > 1 ? x.degree : 1), m_bias(std::move(bias)) {}

  // y₀ = x₀ + b, y₁ = x₁ + v, y₂ = x₂
  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.rows(this->output(), order, column);
      bool const has_x = this->input().degree >= order;
      auto const x = has_x ? pass.rows(this->input(), order, column) : y;
      if (order == 2) {
        if (x.data() != y.data()) copy(pass.space(), x, y);
      } else {
        add(pass.space(), x, pass.parameter(m_bias, order, column), has_x, y);
      }
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    bool const adds = x.degree > 0 && pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y_bar = pass.adjoint_rows(this->output(), order, column);
      if (pass.wants_parameter_adjoints(order)) {
        linalg::add_column_sums<Real>(pass.space(), y_bar, pass.parameter_adjoint(m_bias, order, column),
                                      column_work(pass, *this));
      }
      if (x.degree == 0) continue;
      auto const x_bar = pass.adjoint_rows(x, order, column);
      if (x_bar.data() == y_bar.data()) continue;
      if (adds) {
        accumulate(pass.space(), y_bar, x_bar);
      } else {
        copy(pass.space(), y_bar, x_bar);
      }
    }
  }

  bool in_place() const override { return true; }
  std::size_t scratch(std::size_t samples) const override { return column_scratch(*this, samples); }

  static void add(Space const& space, MatrixWindow<Real const, Space> x, VectorWindow<Real const, Space> b, bool has_x,
                  MatrixWindow<Real, Space> y) {
    std::size_t const width = y.extent(1);
    if constexpr (is_host_space<Space>) {
      Kokkos::parallel_for(
          "onedge::Bias::forward", range(space, y.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
            for (std::size_t j = 0; j < width; ++j) y(i, j) = has_x ? x(i, j) + b(j) : b(j);
          });
    } else {
      Kokkos::parallel_for(
          "onedge::Bias::forward", range(space, y.size()), KOKKOS_LAMBDA(std::size_t index) {
            std::size_t const i = index / width, j = index % width;
            y(i, j) = has_x ? x(i, j) + b(j) : b(j);
          });
    }
  }
  static void copy(Space const& space, MatrixWindow<Real const, Space> from, MatrixWindow<Real, Space> to) {
    Real const* const source = from.data();
    Real* const target = to.data();
    Kokkos::parallel_for(
        "onedge::Bias::copy", range(space, to.size()), KOKKOS_LAMBDA(std::size_t i) { target[i] = source[i]; });
  }
  static void accumulate(Space const& space, MatrixWindow<Real const, Space> from, MatrixWindow<Real, Space> to) {
    Real const* const source = from.data();
    Real* const target = to.data();
    Kokkos::parallel_for(
        "onedge::Bias::reverse", range(space, to.size()), KOKKOS_LAMBDA(std::size_t i) { target[i] += source[i]; });
  }

 private:
  Parameter m_bias;
};

template <class Real, class Space>
class Scale : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;
  using Row = VectorWindow<Real const, Space>;

  Scale(Value const& x, Parameter scale)
      : Operation<Real, Space>("scale", {x}, x.shape, x.degree + 1), m_scale(std::move(scale)) {}

  // y_k = x_k γ + x_{k−1} v
  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.rows(this->output(), order, column);
      Window const same = x.degree >= order ? Window(pass.rows(x, order, column)) : Window();
      Window const below = order >= 1 ? Window(pass.rows(x, order - 1, column)) : Window();
      weigh(pass.space(), same, pass.parameter(m_scale, 0), below,
            order >= 1 ? pass.parameter(m_scale, 1, column) : Row(), false, y);
    }
  }

  // γ̄_k += Σ_rows Σ_i x_i ȳ_{k−i};   x̄_k += ȳ_k γ + ȳ_{k−1} v
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    bool const with_adjoint_0 = order == 1 && !pass.gauss_newton();
    bool const adds = x.degree > 0 && pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y_bar = pass.adjoint_rows(this->output(), order, column);
      if (pass.wants_parameter_adjoints(order)) {
        auto const scale_bar = pass.parameter_adjoint(m_scale, order, column);
        auto const work = column_work(pass, *this);
        linalg::add_column_products<Real>(pass.space(), pass.rows(x, 0), y_bar, scale_bar, work);
        if (with_adjoint_0 && x.degree >= 1) {
          linalg::add_column_products<Real>(pass.space(), pass.rows(x, 1, column), pass.adjoint_rows(this->output(), 0),
                                            scale_bar, work);
        }
      }
      if (x.degree == 0) continue;
      weigh(pass.space(), y_bar, pass.parameter(m_scale, 0),
            with_adjoint_0 ? Window(pass.adjoint_rows(this->output(), 0)) : Window(),
            with_adjoint_0 ? pass.parameter(m_scale, 1, column) : Row(), adds, pass.adjoint_rows(x, order, column));
    }
  }

  // s = x₁ v
  void contract(Pass<Real, Space> const& pass) const override {
    if (this->input().degree == 0) return;
    Window const y_bar = pass.adjoint_rows(this->output(), 0);
    for (int column = 0; column < pass.columns(); ++column) {
      Window const x = pass.rows(this->input(), 1, column);
      Row const v = pass.parameter(m_scale, 1, column);
      linalg::sum_over(
          pass.space(), "onedge::Scale::contract", x.extent(0), x.extent(1),
          KOKKOS_LAMBDA(std::size_t i, std::size_t j) { return static_cast<double>(x(i, j) * v(j)) * y_bar(i, j); },
          pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return true; }
  std::size_t scratch(std::size_t samples) const override { return column_scratch(*this, samples); }

  /// result ← [result +] a ∘ p + b ∘ q per row; an empty a or b is left out.
  static void weigh(Space const& space, Window a, Row p, Window b, Row q, bool adds, MatrixWindow<Real, Space> result) {
    std::size_t const width = result.extent(1);
    bool const has_a = a.data() != nullptr;
    bool const has_b = b.data() != nullptr;
    if constexpr (is_host_space<Space>) {  // by rows, and no question within a loop: compilers then vectorise
      Kokkos::parallel_for(
          "onedge::Scale::weigh", range(space, result.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
            if (has_a && adds) {
              for (std::size_t j = 0; j < width; ++j) result(i, j) += a(i, j) * p(j);
            } else if (has_a) {
              for (std::size_t j = 0; j < width; ++j) result(i, j) = a(i, j) * p(j);
            }
            if (has_b && (has_a || adds)) {
              for (std::size_t j = 0; j < width; ++j) result(i, j) += b(i, j) * q(j);
            } else if (has_b) {
              for (std::size_t j = 0; j < width; ++j) result(i, j) = b(i, j) * q(j);
            }
          });
    } else {
      Kokkos::parallel_for(
          "onedge::Scale::weigh", range(space, result.size()), KOKKOS_LAMBDA(std::size_t index) {
            std::size_t const i = index / width, j = index % width;
            Real value = adds ? result(i, j) : Real(0);
            if (has_a) value += a(i, j) * p(j);
            if (has_b) value += b(i, j) * q(j);
            result(i, j) = value;
          });
    }
  }

 private:
  Parameter m_scale;
};

}  // namespace

template <class Real, class Space>
Value bias(Network<Real, Space>& network, Value const& x, std::string const& name, Initializer initializer) {
  return onedge::network::bias(network, x, network.parameter(name + "/bias", {x.width()}, initializer));
}

template <class Real, class Space>
Value bias(Network<Real, Space>& network, Value const& x, Parameter const& bias) {
  require(bias.size() == x.width(), "bias: ", bias.size(), " entries for a width of ", x.width());
  return network.apply(std::make_unique<Bias<Real, Space>>(x, bias));
}

template <class Real, class Space>
Value scale(Network<Real, Space>& network, Value const& x, std::string const& name, Initializer initializer) {
  return network.apply(
      std::make_unique<Scale<Real, Space>>(x, network.parameter(name + "/scale", {x.width()}, initializer)));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                      \
  template Value bias(Network<Real, Space>&, Value const&, std::string const&, Initializer); \
  template Value bias(Network<Real, Space>&, Value const&, Parameter const&);                \
  template Value scale(Network<Real, Space>&, Value const&, std::string const&, Initializer);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
