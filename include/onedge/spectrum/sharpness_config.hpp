#pragma once
// The section `measure.sharpness` of a deck.
#include <onedge/config/deck.hpp>
#include <onedge/spectrum/eigen_solver.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace onedge::spectrum {

/// Whose largest eigenvalues are measured: H; P^-1/2 H P^-1/2 with the optimizer's P; the Gauss-Newton matrix; −H, for
/// the most negative eigenvalues of H.
enum class OperatorKind { hessian, preconditioned_hessian, gauss_newton, negative_hessian };
std::string to_string(OperatorKind kind);
/// Throws Error for a name that is none.
OperatorKind operator_kind(std::string const& name);
/// All names, in the order of the enumeration.
std::vector<std::string> operator_names();

struct SharpnessConfig {
  std::int64_t every = 0;  // steps; 0: never
  std::vector<OperatorKind> operators = {OperatorKind::hessian};
  std::int64_t count = 1;
  SolverOptions solver;
  double track_above = 0;  // NaN: count stays as it is
  std::int64_t maximum_count = 16;

  bool tracks() const { return track_above == track_above; }
  /// The most eigenvalues that a measurement may ask for.
  std::int64_t most() const { return tracks() ? maximum_count : count; }
  /// Throws InputError.
  static SharpnessConfig bind(config::Section section);
};

}  // namespace onedge::spectrum
