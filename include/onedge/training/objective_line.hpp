#pragma once
#include <onedge/objective/objective.hpp>
#include <onedge/tuner/line.hpp>

#include <array>
#include <functional>
#include <optional>
#include <string>

namespace onedge::training {

/// The line of tuner/line.hpp over a real objective: f along the update of one step after another.
template <class Real, class Space>
class ObjectiveLine : public tuner::Line {
 public:
  using Constant = VectorWindow<Real const, Space>;
  using Warn = std::function<void(std::int64_t step, std::string const& message)>;
  /// λ₁ of H, or of P^-1/2 H P^-1/2, at the objective's point.
  using Sharpness = std::function<double(bool preconditioned)>;

  /// `steps_per_epoch`: of mini-batches; 0 in full batch.
  ObjectiveLine(Space const& space, objective::Objective<Real, Space>& objective, Warn warn, Sharpness sharpness = {},
                std::int64_t steps_per_epoch = 0);

  /// Begins step t at parameters w with f(w), ∇f(w), the update u and (unless empty) the one before it; the arrays stay
  /// as they are until the next begin(). Computes all inner products in one sweep.
  void begin(std::int64_t step, Constant parameters, double loss, Constant gradient, Constant update,
             Constant previous_update);
  /// Brings the objective back to the step's point, if a trial has moved it.
  void return_to_point();
  /// ⟨u, u₋₁⟩ / (‖u‖ ‖u₋₁‖); 0 without a previous update.
  double update_cosine() const;
  /// Whether a second derivative along u was computed at this step, and its value: uᵀHu, or uᵀGu where that was asked.
  bool knows_curvature() const { return m_curvature || m_gauss_newton_curvature; }
  double known_curvature() const { return m_curvature ? *m_curvature : m_gauss_newton_curvature.value(); }

  std::int64_t step() const override { return m_step; }
  double epoch() const override {
    return static_cast<double>(m_step) / static_cast<double>(full_batch() ? 1 : m_steps_per_epoch);
  }
  bool full_batch() const override { return m_steps_per_epoch == 0; }
  double loss() override { return m_loss; }
  double loss_at(double learning_rate) override;
  double slope() override { return m_slope; }
  double curvature() override;
  double gauss_newton_curvature() override;
  double sharpness() override { return known_sharpness(false); }
  double preconditioned_sharpness() override { return known_sharpness(true); }
  double gradient_norm() override { return m_gradient_norm; }
  double update_norm() override { return m_update_norm; }
  double smallest_learning_rate() override;
  bool has_previous() const override { return m_has_previous; }
  double previous_slope() override { return m_previous_slope; }
  double previous_update_norm() override { return m_previous_update_norm; }
  void warn(char const* message) override { m_warn(m_step, message); }

 private:
  void make_trial();
  double known_sharpness(bool preconditioned);
  /// uᵀAu where `of` gives vᵀAv for a direction v. Collective.
  double along_update(std::function<double(Constant)> const& of);

  Space m_space;
  objective::Objective<Real, Space>& m_objective;
  Warn m_warn;
  Sharpness m_measure_sharpness;
  std::int64_t m_steps_per_epoch;
  linalg::InnerProducts<Real, Space> m_inner_products;
  Vector<Real, Space> m_trial;  // w + ηu, or u scaled; made when first needed
  std::int64_t m_step = 0;
  Constant m_parameters, m_update;
  bool m_away = false;  // the objective's point is a trial
  bool m_has_previous = false;
  double m_loss = 0, m_slope = 0, m_gradient_norm = 0, m_update_norm = 0;
  double m_previous_slope = 0, m_previous_update_norm = 0, m_update_product = 0;
  std::optional<double> m_curvature, m_gauss_newton_curvature, m_parameter_norm;
  std::array<std::optional<double>, 2> m_sharpness;  // of H, of P^-1/2 H P^-1/2
};

}  // namespace onedge::training
