#include <onedge/core/error.hpp>
#include <onedge/optimizer/momentum.hpp>

namespace onedge::optimizer {

template <class Real, class Space>
Momentum<Real, Space>::Momentum(OptimizerConfig const& config, std::size_t parameters)
    : m_coefficient(config.momentum),
      m_nesterov(config.nesterov),
      m_momentum("onedge::Momentum::momentum", parameters) {}

template <class Real, class Space>
void Momentum<Real, Space>::update(Space const& space, VectorWindow<Real const, Space> gradient,
                                   VectorWindow<Real, Space> update) {
  VectorWindow<Real, Space> const momentum = m_momentum;
  require(gradient.extent(0) == momentum.extent(0) && update.extent(0) == momentum.extent(0),
          "momentum expects vectors of length ", momentum.extent(0));
  Real const mu = static_cast<Real>(m_coefficient);
  // u = −(a·g + b·m): heavy ball a = 0, b = 1; Nesterov a = 1, b = μ.
  Real const a = m_nesterov ? Real(1) : Real(0);
  Real const b = m_nesterov ? mu : Real(1);
  Kokkos::parallel_for(
      "onedge::Momentum::update", range(space, momentum.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        Real const m = gradient(i) + mu * momentum(i);
        momentum(i) = m;
        update(i) = -(a * gradient(i) + b * m);
      });
}

template <class Real, class Space>
double Momentum<Real, Space>::edge() const {
  double const heavy_ball = 2.0 * (1.0 + m_coefficient);
  return m_nesterov ? heavy_ball / (1.0 + 2.0 * m_coefficient) : heavy_ball;
}

template <class Real, class Space>
std::vector<NamedVector<Real, Space>> Momentum<Real, Space>::vectors() {
  return {{"momentum", m_momentum}};
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Momentum<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::optimizer
