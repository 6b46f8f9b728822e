#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// Multiplicative hyper-gradient descent (eq. 15 of the paper): η ← η(1 − β gᵀu₋₁/(‖g‖‖u₋₁‖)), with g of this step and
/// u₋₁ the previous update. The first η is `initial`; a zero norm leaves η as it is. Asks for the slope along the
/// previous update and the two norms.
class Hypergradient : public Tuner {
 public:
  struct Options {
    double initial = 0.0;  // required in decks
    double beta = 0.01;
    void bind(config::Section section);
  };

  explicit Hypergradient(Options options) : m_options(options), m_learning_rate(options.initial) {}
  double learning_rate(Line& line) override;
  std::map<std::string, double> state() const override { return {{"learning_rate", m_learning_rate}}; }
  void restore(std::map<std::string, double> const& state) override { m_learning_rate = saved(state, "learning_rate"); }

 private:
  Options m_options;
  double m_learning_rate;
};

}  // namespace onedge::tuner
