#pragma once
#include <onedge/optimizer/optimizer.hpp>

#include <cstdint>

namespace onedge::optimizer {

/// Adam (Kingma and Ba 2015), t = 1, 2, …: m = β₁m + (1−β₁)g, v = β₂v + (1−β₂)g², both from 0; m̂ = m/(1−β₁ᵗ),
/// v̂ = v/(1−β₂ᵗ); P = √(v̂+eps_root) + eps, u = −m̂/P. The edge is 2(1+β₁)/(1−β₁).
template <class Real, class Space>
class Adam : public Optimizer<Real, Space> {
 public:
  Adam(OptimizerConfig const& config, std::size_t parameters);

  void update(Space const& space, VectorWindow<Real const, Space> gradient, VectorWindow<Real, Space> update) override;
  void preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const override;
  bool is_preconditioned() const override { return true; }
  double edge() const override { return 2.0 * (1.0 + m_beta1) / (1.0 - m_beta1); }
  std::vector<NamedVector<Real, Space>> vectors() override;
  std::map<std::string, double> scalars() const override { return {{"steps", static_cast<double>(m_steps)}}; }
  void restore_scalars(std::map<std::string, double> const& scalars) override;

 private:
  double m_beta1;
  double m_beta2;
  double m_eps;
  double m_eps_root;
  std::int64_t m_steps = 0;  // t: updates done
  Vector<Real, Space> m_first_moment;
  Vector<Real, Space> m_second_moment;
};

}  // namespace onedge::optimizer
