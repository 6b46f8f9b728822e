#pragma once
#include <onedge/linalg/vector.hpp>
#include <onedge/network/operation.hpp>

namespace onedge::network {

/// y = a ∗ b, linear in each of two activations. Forward and reverse are Cauchy products of maps that a derived class
/// gives. Arrays are [samples, size].
template <class Real, class Space>
class ActivationProduct : public Operation<Real, Space> {
 public:
  using Constant = MatrixWindow<Real const, Space>;
  using Window = MatrixWindow<Real, Space>;

  ActivationProduct(std::string name, Value const& a, Value const& b, Shape output)
      : Operation<Real, Space>(std::move(name), {a, b}, std::move(output), a.degree + b.degree) {}

  // y_k = Σ_i a_i ∗ b_{k−i}
  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      bool adds = false;
      for (int i = 0; i <= order; ++i) {
        if (this->input(0).degree < i || this->input(1).degree < order - i) continue;
        multiply(pass, pass.plane(this->input(0), i, column), pass.plane(this->input(1), order - i, column), adds,
                 pass.plane(this->output(), order, column));
        adds = true;
      }
    }
  }

  // ā_k += Σ_i ȳ_i ∗ b_{k−i}, and the same for b
  void reverse(Pass<Real, Space> const& pass, int order) const override {
    for (int which = 0; which < 2; ++which) {
      Value const& x = this->input(which);
      Value const& other = this->input(1 - which);
      if (x.degree == 0) continue;
      bool const adds = pass.adds(x);
      for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
        auto const x_bar = pass.adjoint(x, order, column);
        pull_back(pass, which, pass.adjoint(this->output(), order, column), pass.plane(other, 0), adds, x_bar);
        if (order == 1 && !pass.gauss_newton() && other.degree >= 1) {
          pull_back(pass, which, pass.adjoint(this->output(), 0), pass.plane(other, 1, column), true, x_bar);
        }
      }
    }
  }

  // s = a₁ ∗ b₁
  void contract(Pass<Real, Space> const& pass) const override {
    if (!curved()) return;
    auto const y_bar = pass.adjoint(this->output(), 0);
    auto const second = pass.scratch(y_bar.extent(0), y_bar.extent(1));
    for (int column = 0; column < pass.columns(); ++column) {
      multiply(pass, pass.plane(this->input(0), 1, column), pass.plane(this->input(1), 1, column), false, second);
      linalg::contract_into<Real>(pass.space(), second, y_bar, pass.term(column));
    }
  }

  bool reads_output_adjoint() const override { return curved(); }
  std::size_t scratch(std::size_t samples) const override { return curved() ? samples * this->output().size() : 0; }

 protected:
  /// y ← [y +] a ∗ b.
  virtual void multiply(Pass<Real, Space> const& pass, Constant a, Constant b, bool adds, Window y) const = 0;
  /// x̄ ← [x̄ +] the adjoint in input `which`, applied to ȳ, with the other input given.
  virtual void pull_back(Pass<Real, Space> const& pass, int which, Constant y_bar, Constant other, bool adds,
                         Window x_bar) const = 0;

 private:
  bool curved() const { return this->input(0).degree >= 1 && this->input(1).degree >= 1; }
};

}  // namespace onedge::network
