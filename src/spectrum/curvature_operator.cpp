#include <onedge/spectrum/curvature_operator.hpp>

namespace onedge::spectrum {

template <class Real, class Space>
CurvatureOperator<Real, Space>::CurvatureOperator(objective::Objective<Real, Space>& objective,
                                                  ShardLayout const& layout, bool gauss_newton)
    : m_objective(objective), m_gauss_newton(gauss_newton), m_slices(Space(), layout.communicator(), layout.counts()) {}

template <class Real, class Space>
void CurvatureOperator<Real, Space>::apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const {
  auto const columns = static_cast<std::size_t>(x.columns());
  if (m_directions.extent(0) < columns) {
    m_directions =
        uninitialised<Matrix<Real, Space>>("onedge::CurvatureOperator::directions", columns, m_slices.length());
  }
  MatrixWindow<Real, Space> const directions(m_directions.data(), columns, m_slices.length());
  m_slices.all_gather(x.slices(), directions);
  m_objective.product(directions, m_slices, y.slices(), m_gauss_newton);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class CurvatureOperator<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
