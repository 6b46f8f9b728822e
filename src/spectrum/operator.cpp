#include <onedge/spectrum/operator.hpp>

namespace onedge::spectrum {

template <class Real, class Space>
void NegatedOperator<Real, Space>::apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const {
  m_base.apply(x, y);
  y.scale(std::vector<double>(static_cast<std::size_t>(y.columns()), -1.0));
}

template <class Real, class Space>
void ScaledOperator<Real, Space>::apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const {
  auto scaled = x.clone();
  scaled.multiply_elements(m_diagonal);
  m_base.apply(scaled, y);
  y.multiply_elements(m_diagonal);
}

#define ONEDGE_INSTANTIATE(Real, Space)        \
  template class NegatedOperator<Real, Space>; \
  template class ScaledOperator<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
