#include <onedge/linalg/matmul.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/dense.hpp>

namespace onedge::network {

namespace {

using linalg::Transpose;

template <class Real, class Space>
class Dense : public Operation<Real, Space> {
 public:
  Dense(Value const& x, Parameter kernel)
      : Operation<Real, Space>("dense", {x}, output_shape(x, kernel), x.degree + 1), m_kernel(std::move(kernel)) {}

  // y_k = x_k W + x_{k−1} V
  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.rows(this->output(), order, column);
      Real beta = 0;
      if (x.degree >= order) {
        multiply(pass, Transpose::no, Transpose::no, pass.rows(x, order, column), pass.parameter_matrix(m_kernel, 0),
                 beta, y);
        beta = 1;
      }
      if (order >= 1) {
        multiply(pass, Transpose::no, Transpose::no, pass.rows(x, order - 1, column),
                 pass.parameter_matrix(m_kernel, 1, column), beta, y);
      }
    }
  }

  // W̄_k += Σ_i x_iᵀ ȳ_{k−i};   x̄_k += ȳ_k Wᵀ + ȳ_{k−1} Vᵀ
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    Value const& y = this->output();
    bool const with_adjoint_0 = order == 1 && !pass.gauss_newton();
    bool const adds = x.degree > 0 && pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y_bar = pass.adjoint_rows(y, order, column);
      if (pass.wants_parameter_adjoints(order)) {
        auto const kernel_bar = pass.parameter_adjoint_matrix(m_kernel, order, column);
        multiply(pass, Transpose::yes, Transpose::no, pass.rows(x, 0), y_bar, 1, kernel_bar);
        if (with_adjoint_0 && x.degree >= 1) {
          multiply(pass, Transpose::yes, Transpose::no, pass.rows(x, 1, column), pass.adjoint_rows(y, 0), 1,
                   kernel_bar);
        }
      }
      if (x.degree == 0) continue;
      auto const x_bar = pass.adjoint_rows(x, order, column);
      multiply(pass, Transpose::no, Transpose::yes, y_bar, pass.parameter_matrix(m_kernel, 0), adds ? 1 : 0, x_bar);
      if (with_adjoint_0) {
        multiply(pass, Transpose::no, Transpose::yes, pass.adjoint_rows(y, 0),
                 pass.parameter_matrix(m_kernel, 1, column), 1, x_bar);
      }
    }
  }

  // s = x₁ V
  void contract(Pass<Real, Space> const& pass) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    auto const y_bar = pass.adjoint_rows(this->output(), 0);
    auto const second = pass.scratch(y_bar.extent(0), y_bar.extent(1));
    for (int column = 0; column < pass.columns(); ++column) {
      multiply(pass, Transpose::no, Transpose::no, pass.rows(x, 1, column), pass.parameter_matrix(m_kernel, 1, column),
               0, second);
      linalg::contract_into<Real>(pass.space(), second, y_bar, pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return this->input().degree > 0; }
  std::size_t scratch(std::size_t samples) const override {
    return this->input().degree > 0 ? samples * this->output().size() : 0;
  }

 private:
  static Shape output_shape(Value const& x, Parameter const& kernel) {
    Shape shape = x.shape;
    shape.back() = kernel.shape.back();
    return shape;
  }
  static void multiply(Pass<Real, Space> const& pass, Transpose a, Transpose b, MatrixWindow<Real const, Space> left,
                       MatrixWindow<Real const, Space> right, Real beta, MatrixWindow<Real, Space> result) {
    linalg::matmul<Real>(pass.space(), a, b, Real(1), left, right, beta, result);
  }

  Parameter m_kernel;
};

}  // namespace

template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
            Initializer initializer) {
  return dense(network, x, network.parameter(name + "/kernel", {x.width(), out}, initializer));
}

template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, Parameter const& kernel) {
  return network.apply(std::make_unique<Dense<Real, Space>>(x, kernel));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                    \
  template Value dense(Network<Real, Space>&, Value const&, std::string const&, std::size_t, Initializer); \
  template Value dense(Network<Real, Space>&, Value const&, Parameter const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
