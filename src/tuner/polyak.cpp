#include <onedge/tuner/polyak.hpp>

namespace onedge::tuner {

void Polyak::Options::bind(config::Section section) {
  section.bind("maximum", maximum, "largest learning rate η_max", config::non_negative);
  section.bind("minimum_loss", minimum_loss, "the loss f* that the step size aims at");
}

double Polyak::learning_rate(Line& line) {
  double const gap = line.loss() - m_options.minimum_loss;
  if (gap <= 0.0) return 0.0;
  double const norm = line.gradient_norm();
  double const ratio = gap / (norm * norm);  // +∞ where g = 0; NaN stays NaN
  return ratio > m_options.maximum ? m_options.maximum : ratio;
}

}  // namespace onedge::tuner
