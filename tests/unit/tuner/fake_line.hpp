#pragma once
// A line whose values a test sets, and which counts what a tuner asks for.
#include <onedge/tuner/line.hpp>

#include <functional>
#include <string>
#include <vector>

namespace onedge::tuner {

/// How often each quantity was asked for.
struct Asked {
  int loss = 0;
  int loss_at = 0;
  int slope = 0;
  int curvature = 0;
  int gauss_newton = 0;
  int sharpness = 0;
  int preconditioned_sharpness = 0;
  int gradient_norm = 0;
  int update_norm = 0;
  int previous_slope = 0;
  int previous_update_norm = 0;
  bool operator==(Asked const&) const = default;
};

class FakeLine : public Line {
 public:
  FakeLine() = default;
  FakeLine(FakeLine const&) = delete;  // m_phi refers to this object
  FakeLine& operator=(FakeLine const&) = delete;

  std::int64_t m_step = 0;
  bool m_full_batch = true;
  double m_loss = 1.0;
  double m_slope = -1.0;
  double m_curvature = 1.0;
  double m_gauss_newton = 1.0;
  double m_sharpness = 1.0;
  double m_preconditioned_sharpness = 1.0;
  double m_gradient_norm = 1.0;
  double m_update_norm = 1.0;
  double m_smallest_learning_rate = 0.0;
  bool m_has_previous = false;
  double m_previous_slope = 0.0;
  double m_previous_update_norm = 1.0;
  /// φ; a parabola through the values above unless a test sets another.
  std::function<double(double)> m_phi = [this](double x) { return m_loss + x * m_slope + 0.5 * x * x * m_curvature; };

  Asked asked;
  std::vector<double> trials;  // arguments of loss_at
  std::vector<std::string> warnings;

  std::int64_t step() const override { return m_step; }
  double epoch() const override { return static_cast<double>(m_step); }
  bool full_batch() const override { return m_full_batch; }
  double loss() override { return count(asked.loss, m_loss); }
  double loss_at(double learning_rate) override {
    trials.push_back(learning_rate);
    return count(asked.loss_at, m_phi(learning_rate));
  }
  double slope() override { return count(asked.slope, m_slope); }
  double curvature() override { return count(asked.curvature, m_curvature); }
  double gauss_newton_curvature() override { return count(asked.gauss_newton, m_gauss_newton); }
  double sharpness() override { return count(asked.sharpness, m_sharpness); }
  double preconditioned_sharpness() override {
    return count(asked.preconditioned_sharpness, m_preconditioned_sharpness);
  }
  double gradient_norm() override { return count(asked.gradient_norm, m_gradient_norm); }
  double update_norm() override { return count(asked.update_norm, m_update_norm); }
  double smallest_learning_rate() override { return m_smallest_learning_rate; }
  bool has_previous() const override { return m_has_previous; }
  double previous_slope() override { return count(asked.previous_slope, m_previous_slope); }
  double previous_update_norm() override { return count(asked.previous_update_norm, m_previous_update_norm); }
  void warn(char const* message) override { warnings.emplace_back(message); }

 private:
  static double count(int& counter, double value) {
    ++counter;
    return value;
  }
};

}  // namespace onedge::tuner
