#pragma once
#include <onedge/linalg/vector.hpp>
#include <onedge/network/operation.hpp>

namespace onedge::network {

/// y = x ∗ w, linear in the activation x and in the parameter w: dense layers and convolutions. Forward and reverse are
/// Cauchy products of three maps that a derived class gives. Arrays of activations are [samples, size].
template <class Real, class Space>
class ParameterProduct : public Operation<Real, Space> {
 public:
  using Constant = MatrixWindow<Real const, Space>;
  using Window = MatrixWindow<Real, Space>;
  using ConstantKernel = VectorWindow<Real const, Space>;
  using Kernel = VectorWindow<Real, Space>;

  ParameterProduct(std::string name, Value const& x, Shape output, Parameter kernel)
      : Operation<Real, Space>(std::move(name), {x}, std::move(output), x.degree + 1), m_kernel(std::move(kernel)) {}

  // y_k = x_k ∗ w + x_{k−1} ∗ v
  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.plane(this->output(), order, column);
      bool const has_x = x.degree >= order;
      if (has_x) multiply(pass, pass.plane(x, order, column), pass.parameter(m_kernel, 0), false, y);
      if (order >= 1) {
        multiply(pass, pass.plane(x, order - 1, column), pass.parameter(m_kernel, 1, column), has_x, y);
      }
    }
  }

  // w̄_k += Σ_i x_i ⋆ ȳ_{k−i};   x̄_k += ȳ_k ∗ᵀ w + ȳ_{k−1} ∗ᵀ v
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    bool const with_adjoint_0 = order == 1 && !pass.gauss_newton();
    bool const adds = x.degree > 0 && pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y_bar = pass.adjoint(this->output(), order, column);
      if (pass.wants_parameter_adjoints(order)) {
        auto const kernel_bar = pass.parameter_adjoint(m_kernel, order, column);
        collect(pass, pass.plane(x, 0), y_bar, kernel_bar);
        if (with_adjoint_0 && x.degree >= 1) {
          collect(pass, pass.plane(x, 1, column), pass.adjoint(this->output(), 0), kernel_bar);
        }
      }
      if (x.degree == 0) continue;
      auto const x_bar = pass.adjoint(x, order, column);
      pull_back(pass, y_bar, pass.parameter(m_kernel, 0), adds, x_bar);
      if (with_adjoint_0) {
        pull_back(pass, pass.adjoint(this->output(), 0), pass.parameter(m_kernel, 1, column), true, x_bar);
      }
    }
  }

  // s = x₁ ∗ v
  void contract(Pass<Real, Space> const& pass) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    auto const y_bar = pass.adjoint(this->output(), 0);
    std::size_t const own = work(pass.samples());
    Window const second(pass.scratch(1, own + y_bar.size()).data() + own, y_bar.extent(0), y_bar.extent(1));
    for (int column = 0; column < pass.columns(); ++column) {
      multiply(pass, pass.plane(x, 1, column), pass.parameter(m_kernel, 1, column), false, second);
      linalg::contract_into<Real>(pass.space(), second, y_bar, pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return this->input().degree > 0; }
  std::size_t scratch(std::size_t samples) const override {
    return work(samples) + (this->input().degree > 0 ? samples * this->output().size() : 0);
  }

 protected:
  /// y ← [y +] x ∗ w.
  virtual void multiply(Pass<Real, Space> const& pass, Constant x, ConstantKernel w, bool adds, Window y) const = 0;
  /// x̄ ← [x̄ +] the adjoint of x ↦ x ∗ w, applied to ȳ.
  virtual void pull_back(Pass<Real, Space> const& pass, Constant y_bar, ConstantKernel w, bool adds,
                         Window x_bar) const = 0;
  /// w̄ += the adjoint of w ↦ x ∗ w, applied to ȳ.
  virtual void collect(Pass<Real, Space> const& pass, Constant x, Constant y_bar, Kernel w_bar) const = 0;
  /// Elements at the start of the scratch memory that these maps use.
  virtual std::size_t work(std::size_t) const { return 0; }

 private:
  Parameter m_kernel;
};

}  // namespace onedge::network
