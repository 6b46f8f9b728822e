#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// Backtracking (eq. 1 and C.3 of the paper): the largest η = c₋ᵏη₀ with f(w+ηu) ≤ (1+δ)f(w) + cηgᵀu, from
/// η₀ = min(c₊η_prev, 1), at first 1. η_prev is the last positive η. gᵀu ≥ 0 gives η = 0 without a trial. A trial whose
/// loss is not finite is rejected. When the trials are used up, the last η tried is kept; η that are too small to move
/// w satisfy nothing: where only such are left, η = 0 and a warning. Asks for loss, slope, and one loss per trial.
class Linesearch : public Tuner {
 public:
  static constexpr std::int64_t automatic = -1;

  struct Options {
    double c = 1e-4;
    double increase = 4.0;  // c₊; 0: infinite, each search starts from 1
    double decrease = 0.8;  // c₋
    double relative_decrease = 0.0;
    std::int64_t trials = automatic;  // 0: unlimited; automatic: unlimited in full batch, 30 in mini-batch
    void bind(config::Section section);
  };

  explicit Linesearch(Options options) : m_options(options) {}
  double learning_rate(Line& line) override;
  std::map<std::string, double> state() const override { return {{"previous", m_previous}}; }
  void restore(std::map<std::string, double> const& state) override { m_previous = saved(state, "previous"); }

 private:
  double first_guess(double smallest) const;
  double search(Line& line) const;

  Options m_options;
  double m_previous = 0.0;  // 0: none yet
};

}  // namespace onedge::tuner
