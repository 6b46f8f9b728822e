#pragma once
#include <cstdint>

namespace onedge::tuner {

/// What a learning-rate tuner sees: the objective along the update, φ(η) = f(w + ηu), at the current step. Each
/// quantity is computed when first asked, once, and is the same on every rank. f includes weight decay.
class Line {
 public:
  virtual ~Line() = default;

  virtual std::int64_t step() const = 0;             ///< t = 0, 1, …
  virtual double epoch() const = 0;                  ///< epochs done; in full batch, the step
  virtual bool full_batch() const = 0;               ///< false: φ belongs to this step's mini-batch
  virtual double loss() = 0;                         ///< φ(0) = f(w)
  virtual double loss_at(double learning_rate) = 0;  ///< φ(η), one evaluation of the loss
  virtual double slope() = 0;                        ///< φ'(0) = gᵀu
  virtual double curvature() = 0;                    ///< φ''(0) = uᵀHu
  virtual double gauss_newton_curvature() = 0;       ///< uᵀGu
  virtual double sharpness() = 0;                    ///< λ₁ of H, as a tuner's SharpnessDemand wants it
  virtual double preconditioned_sharpness() = 0;     ///< λ₁ of P^-1/2 H P^-1/2
  virtual double gradient_norm() = 0;                ///< ‖g‖
  virtual double update_norm() = 0;                  ///< ‖u‖
  /// η below which w + ηu is w again but for rounding: ε‖w‖/‖u‖, ε that of the precision of w. 0: as in exact
  /// arithmetic.
  virtual double smallest_learning_rate() { return 0; }
  virtual bool has_previous() const = 0;       ///< whether a previous update exists
  virtual double previous_slope() = 0;         ///< gᵀu₋₁: the slope along the previous update
  virtual double previous_update_norm() = 0;   ///< ‖u₋₁‖
  virtual void warn(char const* message) = 0;  ///< recorded in the trajectory with the step
};

}  // namespace onedge::tuner
