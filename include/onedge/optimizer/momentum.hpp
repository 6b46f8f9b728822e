#pragma once
#include <onedge/optimizer/optimizer.hpp>

namespace onedge::optimizer {

/// m = g + μm from m₀ = 0, without dampening; heavy ball (Polyak 1964) u = −m, Nesterov u = −(g + μm).
/// The edge is 2(1+μ) for the heavy ball and 2(1+μ)/(1+2μ) for Nesterov.
template <class Real, class Space>
class Momentum : public Optimizer<Real, Space> {
 public:
  Momentum(OptimizerConfig const& config, std::size_t parameters);

  void update(Space const& space, VectorWindow<Real const, Space> gradient, VectorWindow<Real, Space> update) override;
  double edge() const override;
  std::vector<NamedVector<Real, Space>> vectors() override;

 private:
  double m_coefficient;
  bool m_nesterov;
  Vector<Real, Space> m_momentum;
};

}  // namespace onedge::optimizer
