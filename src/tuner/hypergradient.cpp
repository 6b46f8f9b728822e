#include <onedge/tuner/hypergradient.hpp>

namespace onedge::tuner {

void Hypergradient::Options::bind(config::Section section) {
  section.require("initial", initial, "learning rate of the first step", config::non_negative);
  section.bind("beta", beta, "factor β on the cosine between the gradient and the previous update", {0.0, 1.0});
}

double Hypergradient::learning_rate(Line& line) {
  if (!line.has_previous()) return m_learning_rate;
  double const norms = line.gradient_norm() * line.previous_update_norm();
  if (norms == 0.0) return m_learning_rate;
  m_learning_rate *= 1.0 - m_options.beta * line.previous_slope() / norms;
  return m_learning_rate;
}

}  // namespace onedge::tuner
