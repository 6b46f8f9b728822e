#include <onedge/tuner/cdat.hpp>

#include <cmath>

namespace onedge::tuner {

void Cdat::Options::bind(config::Section section) {
  section.bind("sigma", sigma, "scale σ of η = σn/d: 2 is on the edge, 1 quadratically greedy", config::non_negative);
  section.bind("epsilon", epsilon, "ε added to the denominator d = |uᵀHu| + ε", config::non_negative);
  section.bind("ema", ema, "coefficient β of the moving averages of n and d; 0.0: none",
               config::unit_interval_open_above);
  section.choose("curvature", curvature, {"hessian", "gauss_newton", "parabolic"},
                 "second derivative in d: exact, Gauss-Newton's, or a parabola through one more loss");
  section.bind("every", every, "d is evaluated at every so many steps and held between", config::at_least_one);
  section.bind("probe", probe,
               "with curvature: parabolic, the distance in parameters ‖μu‖ at which the extra loss is taken",
               config::positive);
}

double parabolic_curvature(Line& line, double probe) {
  double const norm = line.update_norm();
  if (norm == 0.0) return 0.0;
  double const mu = probe / norm;
  return 2.0 * (line.loss_at(mu) - line.loss() - mu * line.slope()) / (mu * mu);
}

bool Cdat::is_due(std::int64_t step) const { return step % m_options.every == 0 || !m_has_curvature; }

bool Cdat::needs_curvature(std::int64_t step) const { return m_options.curvature != "parabolic" && is_due(step); }

double Cdat::curvature(Line& line) const {
  if (m_options.curvature == "gauss_newton") return line.gauss_newton_curvature();
  if (m_options.curvature == "parabolic") return parabolic_curvature(line, m_options.probe);
  return line.curvature();
}

// Nothing can be learned from a probe that does not move the weights.
bool Cdat::is_blind(Line& line) const {
  if (m_options.curvature != "parabolic" || !is_due(line.step())) return false;
  double const smallest = line.smallest_learning_rate();
  return smallest > 0.0 && m_options.probe < smallest * line.update_norm();
}

double Cdat::learning_rate(Line& line) {
  if (is_blind(line)) {
    line.warn("cdat: tuner.probe is lost in the rounding of the weights, so the learning rate is 0; make it larger");
    return 0.0;
  }
  double const slope = line.slope();
  double const descent = slope >= 0.0 ? 0.0 : -slope;  // NaN stays NaN
  if (is_due(line.step())) {
    m_held_curvature = std::abs(curvature(line));
    m_has_curvature = true;
  }
  double const beta = m_options.ema;
  m_average_descent = (1.0 - beta) * descent + beta * m_average_descent;
  m_average_curvature = (1.0 - beta) * (m_held_curvature + m_options.epsilon) + beta * m_average_curvature;
  if (m_average_descent == 0.0) return 0.0;
  if (m_average_curvature == 0.0) {
    line.warn("cdat: the curvature along the update is 0, so the learning rate is 0");
    return 0.0;
  }
  return m_options.sigma * m_average_descent / m_average_curvature;
}

std::map<std::string, double> Cdat::state() const {
  return {{"has_curvature", m_has_curvature ? 1.0 : 0.0},
          {"held_curvature", m_held_curvature},
          {"average_descent", m_average_descent},
          {"average_curvature", m_average_curvature}};
}

void Cdat::restore(std::map<std::string, double> const& state) {
  m_has_curvature = saved(state, "has_curvature") != 0.0;
  m_held_curvature = saved(state, "held_curvature");
  m_average_descent = saved(state, "average_descent");
  m_average_curvature = saved(state, "average_curvature");
}

}  // namespace onedge::tuner
