#include <onedge/tuner/sharpness.hpp>

namespace onedge::tuner {

void Sharpness::Options::bind(config::Section section) {
  section.bind("sigma", sigma, "scale σ of η = σ/λ₁: 2 is on the edge of gradient descent", config::non_negative);
  section.choose("operator", over, {"hessian", "preconditioned_hessian"},
                 "whose largest eigenvalue λ₁ is: the Hessian H, or P^-1/2 H P^-1/2 with the optimizer's P");
  section.bind("tolerance", tolerance, "largest residual ‖Av − λv‖/|λ| of the eigenvalue", config::positive);
  section.bind("initial", initial, "learning rate while λ₁ has not yet been positive", config::non_negative);
}

double Sharpness::learning_rate(Line& line) {
  bool const preconditioned = m_options.over == "preconditioned_hessian";
  double const sharpness = preconditioned ? line.preconditioned_sharpness() : line.sharpness();
  if (sharpness <= 0.0) {
    line.warn("sharpness: the largest eigenvalue is not positive, so the learning rate stays as it was");
    return m_learning_rate;
  }
  m_learning_rate = m_options.sigma / sharpness;  // NaN stays NaN
  return m_learning_rate;
}

}  // namespace onedge::tuner
