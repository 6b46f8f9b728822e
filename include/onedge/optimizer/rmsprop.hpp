#pragma once
#include <onedge/optimizer/optimizer.hpp>

namespace onedge::optimizer {

/// ν = ρν + (1−ρ)g² from ν₀ = 0, without bias correction; P = √(ν+eps), u = −g/P. The edge is 2.
template <class Real, class Space>
class RmsProp : public Optimizer<Real, Space> {
 public:
  RmsProp(OptimizerConfig const& config, std::size_t parameters);

  void update(Space const& space, VectorWindow<Real const, Space> gradient, VectorWindow<Real, Space> update) override;
  void preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const override;
  bool is_preconditioned() const override { return true; }
  double edge() const override { return 2.0; }
  std::vector<NamedVector<Real, Space>> vectors() override;

 private:
  double m_decay;
  double m_eps;
  Vector<Real, Space> m_second_moment;
};

}  // namespace onedge::optimizer
