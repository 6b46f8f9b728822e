#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// η = σ/λ₁ (eq. 16 of the paper), with λ₁ of H or of P^-1/2 H P^-1/2 at every step; σ = 2(1 − ε) stays below the edge
/// (eq. 6). λ₁ ≤ 0 leaves η as it was, with a warning; `initial` where there is no earlier one. Asks for one of the two
/// sharpnesses.
class Sharpness : public Tuner {
 public:
  struct Options {
    double sigma = 2.0;
    std::string over = "hessian";  // hessian | preconditioned_hessian
    double tolerance = 2e-3;
    double initial = 1e-3;
    void bind(config::Section section);
  };

  explicit Sharpness(Options options) : m_options(std::move(options)), m_learning_rate(m_options.initial) {}
  double learning_rate(Line& line) override;
  std::optional<SharpnessDemand> sharpness_demand() const override {
    return SharpnessDemand{m_options.over == "preconditioned_hessian", m_options.tolerance};
  }
  std::map<std::string, double> state() const override { return {{"learning_rate", m_learning_rate}}; }
  void restore(std::map<std::string, double> const& state) override { m_learning_rate = saved(state, "learning_rate"); }

 private:
  Options m_options;
  double m_learning_rate;
};

}  // namespace onedge::tuner
