#include <onedge/core/error.hpp>
#include <onedge/optimizer/adam.hpp>

#include <cmath>

namespace onedge::optimizer {

template <class Real, class Space>
Adam<Real, Space>::Adam(OptimizerConfig const& config, std::size_t parameters)
    : m_beta1(config.beta1),
      m_beta2(config.beta2),
      m_eps(config.eps),
      m_eps_root(config.eps_root),
      m_first_moment("onedge::Adam::first_moment", parameters),
      m_second_moment("onedge::Adam::second_moment", parameters) {}

template <class Real, class Space>
void Adam<Real, Space>::update(Space const& space, VectorWindow<Real const, Space> gradient,
                               VectorWindow<Real, Space> update) {
  VectorWindow<Real, Space> const first_moment = m_first_moment;
  VectorWindow<Real, Space> const second_moment = m_second_moment;
  require(gradient.extent(0) == first_moment.extent(0) && update.extent(0) == first_moment.extent(0),
          "adam expects vectors of length ", first_moment.extent(0));
  ++m_steps;
  auto const t = static_cast<double>(m_steps);
  Real const keep1 = static_cast<Real>(m_beta1);
  Real const add1 = static_cast<Real>(1.0 - m_beta1);
  Real const keep2 = static_cast<Real>(m_beta2);
  Real const add2 = static_cast<Real>(1.0 - m_beta2);
  Real const correction1 = static_cast<Real>(1.0 / (1.0 - std::pow(m_beta1, t)));
  Real const correction2 = static_cast<Real>(1.0 / (1.0 - std::pow(m_beta2, t)));
  Real const eps = static_cast<Real>(m_eps);
  Real const eps_root = static_cast<Real>(m_eps_root);
  Kokkos::parallel_for(
      "onedge::Adam::update", range(space, first_moment.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        using std::sqrt;
        Real const g = gradient(i);
        Real const m = keep1 * first_moment(i) + add1 * g;
        Real const v = keep2 * second_moment(i) + add2 * g * g;
        first_moment(i) = m;
        second_moment(i) = v;
        update(i) = -(m * correction1) / (sqrt(v * correction2 + eps_root) + eps);
      });
}

template <class Real, class Space>
void Adam<Real, Space>::preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const {
  require(m_steps > 0, "Adam's preconditioner is not defined before the first update");
  VectorWindow<Real const, Space> const second_moment = m_second_moment;
  require(diagonal.extent(0) == second_moment.extent(0), "adam expects vectors of length ", second_moment.extent(0));
  Real const correction = static_cast<Real>(1.0 / (1.0 - std::pow(m_beta2, static_cast<double>(m_steps))));
  Real const eps = static_cast<Real>(m_eps);
  Real const eps_root = static_cast<Real>(m_eps_root);
  Kokkos::parallel_for(
      "onedge::Adam::preconditioner", range(space, second_moment.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        using std::sqrt;
        diagonal(i) = sqrt(second_moment(i) * correction + eps_root) + eps;
      });
}

template <class Real, class Space>
std::vector<NamedVector<Real, Space>> Adam<Real, Space>::vectors() {
  return {{"first_moment", m_first_moment}, {"second_moment", m_second_moment}};
}

template <class Real, class Space>
void Adam<Real, Space>::restore_scalars(std::map<std::string, double> const& scalars) {
  auto const steps = scalars.find("steps");
  require(steps != scalars.end(), "the state of optimizer adam lacks 'steps'");
  m_steps = static_cast<std::int64_t>(steps->second);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Adam<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::optimizer
