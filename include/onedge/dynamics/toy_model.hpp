#pragma once
// The paper's toy models of the interplay of learning rate and sharpness (sections 2.3 and 3.2, appendix A).
#include <onedge/config/deck.hpp>

#include <cstdint>
#include <string>

namespace onedge::dynamics {

/// What the models speak of at time t. y = ηλ − 2 is the distance from the edge of stability.
struct State {
  double learning_rate = 0;  ///< η
  double sharpness = 0;      ///< λ, the curvature of the first direction
  double p = 0;              ///< squared displacement along the first direction
  double g = 0;              ///< the same along a second direction; 0 in model A
  double y() const { return learning_rate * sharpness - 2; }
};

/// One direction whose curvature λ gets larger on its own and smaller where the iterates oscillate, and in model B a
/// second one of fixed curvature ν (eqs. 4, 5, 9 and 10 of the paper):
///   p' = (1 − ηλ)² p,  λ' = λ + η(a − bp),  g' = (1 − ην)² g,
/// which for y = ηλ − 2 is eq. 5. The rules for the learning rate:
///   constant  η' = η
///   fixed     η' = (2 + y*)/λ', at the distance y* from the edge (eq. 6: below it with y* < 0)
///   cdat      η' = σ(λ²p + ν²g)/(λ³p + ν³g) with λ, p, g of time t: the rate lags behind the sharpness by a step
/// In model A, cdat is σ/λ.
struct ToyModel {
  std::string kind = "a";
  std::string rule = "constant";
  double a = 0;
  double b = 0;
  double nu = 0;
  double offset = -0.1;  ///< y*
  double sigma = 2;
  State start;

  /// Section `dynamics` of a deck. Throws InputError.
  static ToyModel bind(config::Section section);

  /// The state at t + 1. Not finite where the model overflows.
  State next(State const& now) const;
};

}  // namespace onedge::dynamics
