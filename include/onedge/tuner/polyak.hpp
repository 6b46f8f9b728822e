#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// Polyak step size (eq. 14 of the paper): η = min((f(w) − f*)/‖g‖², η_max), with ‖g‖² whatever u is. f(w) ≤ f* gives
/// 0. Asks for the loss and the gradient norm.
class Polyak : public Tuner {
 public:
  struct Options {
    double maximum = 1.0;
    double minimum_loss = 0.0;
    void bind(config::Section section);
  };

  explicit Polyak(Options options) : m_options(options) {}
  double learning_rate(Line& line) override;

 private:
  Options m_options;
};

}  // namespace onedge::tuner
