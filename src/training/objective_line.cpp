#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/training/objective_line.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace onedge::training {

template <class Real, class Space>
ObjectiveLine<Real, Space>::ObjectiveLine(Space const& space, objective::Objective<Real, Space>& objective, Warn warn,
                                          Sharpness sharpness, std::int64_t steps_per_epoch)
    : m_space(space),
      m_objective(objective),
      m_warn(std::move(warn)),
      m_measure_sharpness(std::move(sharpness)),
      m_steps_per_epoch(steps_per_epoch),
      m_inner_products(space) {}

template <class Real, class Space>
void ObjectiveLine<Real, Space>::begin(std::int64_t step, Constant parameters, double loss, Constant gradient,
                                       Constant update, Constant previous_update) {
  m_step = step;
  m_parameters = parameters;
  m_update = update;
  m_loss = loss;
  m_away = false;
  m_curvature.reset();
  m_gauss_newton_curvature.reset();
  m_parameter_norm.reset();
  m_sharpness = {};
  m_has_previous = previous_update.extent(0) > 0;
  std::vector<std::pair<Constant, Constant>> pairs{{gradient, update}, {gradient, gradient}, {update, update}};
  if (m_has_previous) {
    pairs.insert(pairs.end(),
                 {{gradient, previous_update}, {update, previous_update}, {previous_update, previous_update}});
  }
  auto products = m_inner_products(pairs);
  comm::share_rank_0(m_objective.communicator(), products);
  m_slope = products[0];
  m_gradient_norm = std::sqrt(products[1]);
  m_update_norm = std::sqrt(products[2]);
  m_previous_slope = m_has_previous ? products[3] : 0;
  m_update_product = m_has_previous ? products[4] : 0;
  m_previous_update_norm = m_has_previous ? std::sqrt(products[5]) : 0;
}

template <class Real, class Space>
double ObjectiveLine<Real, Space>::update_cosine() const {
  double const norms = m_update_norm * m_previous_update_norm;
  return norms > 0 ? m_update_product / norms : 0;
}

// Where not one weight changes, η|uᵢ| ≤ ε|wᵢ| for all of them, hence η‖u‖ ≤ ε‖w‖.
template <class Real, class Space>
double ObjectiveLine<Real, Space>::smallest_learning_rate() {
  if (!m_parameter_norm) {
    double const square = m_inner_products({{m_parameters, m_parameters}})[0];
    m_parameter_norm = std::sqrt(comm::of_rank_0(m_objective.communicator(), square));
  }
  return m_update_norm > 0 ? std::numeric_limits<Real>::epsilon() * *m_parameter_norm / m_update_norm : 0;
}

template <class Real, class Space>
void ObjectiveLine<Real, Space>::make_trial() {
  if (m_trial.extent(0) > 0) return;
  m_trial = uninitialised<Vector<Real, Space>>("onedge::ObjectiveLine::trial", m_parameters.extent(0));
}

template <class Real, class Space>
double ObjectiveLine<Real, Space>::loss_at(double learning_rate) {
  make_trial();
  auto const& communicator = m_objective.communicator();
  auto const step = static_cast<Real>(comm::of_rank_0(communicator, learning_rate));
  linalg::add_scaled<Real>(m_space, m_parameters, step, m_update, m_trial);
  m_objective.set_point(m_trial);
  m_away = true;
  return comm::of_rank_0(communicator, m_objective.loss().loss);
}

template <class Real, class Space>
void ObjectiveLine<Real, Space>::return_to_point() {
  if (m_away) m_objective.set_point(m_parameters);
  m_away = false;
}

// A sample's part of uᵀAu is of order ‖u‖² times its share of the loss's second derivative, and leaves the range of
// Real long before u does. A power of two changes no other bit.
template <class Real, class Space>
double ObjectiveLine<Real, Space>::along_update(std::function<double(Constant)> const& of) {
  constexpr int moderate = 20, largest = std::numeric_limits<Real>::max_exponent - 8;
  return_to_point();
  auto const& communicator = m_objective.communicator();
  bool const has_size = m_update_norm > 0 && std::isfinite(m_update_norm);
  int const size = has_size ? std::clamp(std::ilogb(m_update_norm), -largest, largest) : 0;
  if (std::abs(size) <= moderate) return comm::of_rank_0(communicator, of(m_update));
  make_trial();
  Kokkos::deep_copy(m_space, m_trial, Real(0));
  linalg::add_scaled<Real>(m_space, m_trial, std::ldexp(Real(1), -size), m_update, m_trial);
  return comm::of_rank_0(communicator, std::ldexp(of(m_trial), 2 * size));
}

template <class Real, class Space>
double ObjectiveLine<Real, Space>::curvature() {
  if (!m_curvature) m_curvature = along_update([this](Constant v) { return m_objective.curvature(v); });
  return *m_curvature;
}

template <class Real, class Space>
double ObjectiveLine<Real, Space>::gauss_newton_curvature() {
  if (!m_gauss_newton_curvature) {
    m_gauss_newton_curvature = along_update([this](Constant v) { return m_objective.gauss_newton_curvature(v); });
  }
  return *m_gauss_newton_curvature;
}

template <class Real, class Space>
double ObjectiveLine<Real, Space>::known_sharpness(bool preconditioned) {
  auto& sharpness = m_sharpness[preconditioned ? 1 : 0];
  if (!sharpness) {
    require(static_cast<bool>(m_measure_sharpness), "this line has no sharpness");
    return_to_point();
    sharpness = m_measure_sharpness(preconditioned);
  }
  return *sharpness;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class ObjectiveLine<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
