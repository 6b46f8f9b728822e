#pragma once
#include <onedge/network/operation.hpp>

namespace onedge::network {

/// y = A x without parameters: acts on each plane alike. Arrays are [samples, size].
template <class Real, class Space>
class LinearMap : public Operation<Real, Space> {
 public:
  using Constant = MatrixWindow<Real const, Space>;
  using Window = MatrixWindow<Real, Space>;

  LinearMap(std::string name, Value const& x, Shape output)
      : Operation<Real, Space>(std::move(name), {x}, std::move(output), x.degree) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      map(pass, pass.plane(this->input(), order, column), pass.plane(this->output(), order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    bool const adds = pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      pull_back(pass, pass.adjoint(this->output(), order, column), adds, pass.adjoint(x, order, column));
    }
  }

 protected:
  /// y ← A x.
  virtual void map(Pass<Real, Space> const& pass, Constant x, Window y) const = 0;
  /// x̄ ← [x̄ +] Aᵀ ȳ.
  virtual void pull_back(Pass<Real, Space> const& pass, Constant y_bar, bool adds, Window x_bar) const = 0;
};

}  // namespace onedge::network
