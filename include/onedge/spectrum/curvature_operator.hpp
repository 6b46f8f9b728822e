#pragma once
#include <onedge/comm/slices.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/spectrum/operator.hpp>

namespace onedge::spectrum {

/// The Hessian of an objective at its point, or its Gauss-Newton matrix G (Objective::product). All columns go through
/// the network together, with one all-gather before and one reduce-scatter after; planes that fit one micro-batch are
/// computed once for all applications at a point.
template <class Real, class Space>
class CurvatureOperator : public Operator<Real, Space> {
 public:
  CurvatureOperator(objective::Objective<Real, Space>& objective, ShardLayout const& layout, bool gauss_newton);
  void apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const override;

 private:
  objective::Objective<Real, Space>& m_objective;
  bool m_gauss_newton;
  mutable comm::Slices<Real, Space> m_slices;
  mutable Matrix<Real, Space> m_directions;  // whole vectors [columns, P]
};

}  // namespace onedge::spectrum
