#pragma once
#include <onedge/optimizer/optimizer.hpp>

namespace onedge::optimizer {

/// u = −g. The edge is 2.
template <class Real, class Space>
class GradientDescent : public Optimizer<Real, Space> {
 public:
  void update(Space const& space, VectorWindow<Real const, Space> gradient, VectorWindow<Real, Space> update) override;
  double edge() const override { return 2.0; }
  std::vector<NamedVector<Real, Space>> vectors() override { return {}; }
};

}  // namespace onedge::optimizer
