#include <onedge/core/error.hpp>
#include <onedge/optimizer/rmsprop.hpp>

#include <cmath>

namespace onedge::optimizer {

template <class Real, class Space>
RmsProp<Real, Space>::RmsProp(OptimizerConfig const& config, std::size_t parameters)
    : m_decay(config.decay), m_eps(config.eps), m_second_moment("onedge::RmsProp::second_moment", parameters) {}

template <class Real, class Space>
void RmsProp<Real, Space>::update(Space const& space, VectorWindow<Real const, Space> gradient,
                                  VectorWindow<Real, Space> update) {
  VectorWindow<Real, Space> const second_moment = m_second_moment;
  require(gradient.extent(0) == second_moment.extent(0) && update.extent(0) == second_moment.extent(0),
          "rmsprop expects vectors of length ", second_moment.extent(0));
  Real const keep = static_cast<Real>(m_decay);
  Real const add = static_cast<Real>(1.0 - m_decay);
  Real const eps = static_cast<Real>(m_eps);
  Kokkos::parallel_for(
      "onedge::RmsProp::update", range(space, second_moment.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        using std::sqrt;
        Real const g = gradient(i);
        Real const v = keep * second_moment(i) + add * g * g;
        second_moment(i) = v;
        update(i) = -g / sqrt(v + eps);
      });
}

template <class Real, class Space>
void RmsProp<Real, Space>::preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const {
  VectorWindow<Real const, Space> const second_moment = m_second_moment;
  require(diagonal.extent(0) == second_moment.extent(0), "rmsprop expects vectors of length ", second_moment.extent(0));
  Real const eps = static_cast<Real>(m_eps);
  Kokkos::parallel_for(
      "onedge::RmsProp::preconditioner", range(space, second_moment.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        using std::sqrt;
        diagonal(i) = sqrt(second_moment(i) + eps);
      });
}

template <class Real, class Space>
std::vector<NamedVector<Real, Space>> RmsProp<Real, Space>::vectors() {
  return {{"second_moment", m_second_moment}};
}

#define ONEDGE_INSTANTIATE(Real, Space) template class RmsProp<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::optimizer
