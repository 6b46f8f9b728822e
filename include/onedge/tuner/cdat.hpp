#pragma once
#include <onedge/tuner/tuner.hpp>

#include <utility>

namespace onedge::tuner {

/// Curvature dynamics aware tuning (eq. 8 of the paper): η = σn/d, n = max(−gᵀu, 0), d = |uᵀHu| + ε; σ = 2 is on the
/// edge, σ = 1 quadratically greedy. With β > 0, n and d are averages x̃ ← (1−β)x + βx̃ from 0 that include this step.
/// With `every` = k, d is evaluated at steps 0, k, 2k, … and held between (n is fresh): the held d still enters its
/// average at every step, so that both averages have the same weights and their start-up bias cancels.
/// n = 0 gives η = 0; n > 0 and d = 0 gives η = 0 and a warning (n and d being the averages where β > 0), and so does
/// a probe too short to move w, which leaves the averages as they were.
/// Asks for the slope at every step and for one curvature where d is due.
class Cdat : public Tuner {
 public:
  struct Options {
    double sigma = 2.0;
    double epsilon = 0.0;
    double ema = 0.0;                   // β
    std::string curvature = "hessian";  // hessian | gauss_newton | parabolic
    std::int64_t every = 1;
    double probe = 0.01;  // ‖μu‖ of the parabolic estimate
    void bind(config::Section section);
  };

  explicit Cdat(Options options) : m_options(std::move(options)) {}
  double learning_rate(Line& line) override;
  bool needs_curvature(std::int64_t step) const override;
  std::int64_t curvature_every() const override { return m_options.curvature == "parabolic" ? 0 : m_options.every; }
  std::map<std::string, double> state() const override;
  void restore(std::map<std::string, double> const& state) override;

 private:
  bool is_due(std::int64_t step) const;
  bool is_blind(Line& line) const;
  double curvature(Line& line) const;

  Options m_options;
  bool m_has_curvature = false;
  double m_held_curvature = 0.0;  // |uᵀHu| of the last evaluation
  double m_average_descent = 0.0;
  double m_average_curvature = 0.0;
};

/// Parabolic estimate of uᵀHu: 2(f(w+μu) − f(w) − μgᵀu)/μ² with μ = probe/‖u‖, the measuring step of Mutschler and Zell
/// (2020); one loss evaluation, none where u = 0 (the estimate is 0 then). Its error is of first order in μ.
double parabolic_curvature(Line& line, double probe);

}  // namespace onedge::tuner
