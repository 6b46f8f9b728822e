#pragma once
// Learning-rate tuners: rules from the line φ(η) = f(w + ηu) to η. They know neither the network nor how φ is computed.
#include <onedge/config/deck.hpp>
#include <onedge/tuner/line.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace onedge::tuner {

/// The largest eigenvalue that a tuner asks the line for at every step.
struct SharpnessDemand {
  bool preconditioned = false;  // of P^-1/2 H P^-1/2 instead of H
  double tolerance = 0;         // of the residual ‖Av − λv‖/|λ|
};

/// A rule with a small state of its own. It is asked once per step, in the order of the steps, and pays only for what
/// it asks the line for.
class Tuner {
 public:
  virtual ~Tuner() = default;

  /// η ≥ 0 for the current step. NaN when the line itself is not finite, so that the run ends as diverged.
  virtual double learning_rate(Line& line) = 0;

  /// Whether learning_rate at this step asks for a second derivative (uᵀHu or uᵀGu).
  virtual bool needs_curvature(std::int64_t step) const;
  /// The cadence of these steps: k for steps 0, k, 2k, …; 0 for never.
  virtual std::int64_t curvature_every() const { return 0; }

  /// Which sharpness learning_rate asks for at every step; none where it does not.
  virtual std::optional<SharpnessDemand> sharpness_demand() const { return {}; }

  /// The state for checkpoints; restore gives a tuner that goes on with the same η. Throws Error where a value is
  /// missing.
  virtual std::map<std::string, double> state() const { return {}; }
  virtual void restore(std::map<std::string, double> const& state);
};

/// The length of a run, which schedules depend on.
struct RunLength {
  std::int64_t steps = 0;
  std::int64_t steps_per_epoch = 1;
};
using TunerMaker = std::function<std::unique_ptr<Tuner>(RunLength const& run)>;

/// Section `tuner` of a deck.
struct TunerConfig {
  std::string kind = "cdat";
  TunerMaker make;

  /// Reads and checks the keys of the chosen kind. Throws InputError.
  static TunerConfig bind(config::Section section);
};

/// The tuner of a bound configuration. Throws InputError where its keys do not fit the length of the run.
std::unique_ptr<Tuner> make_tuner(TunerConfig const& config, RunLength const& run);

/// A value of a saved state; throws Error where it is missing.
double saved(std::map<std::string, double> const& state, char const* name);

}  // namespace onedge::tuner
