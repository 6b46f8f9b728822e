#pragma once
// Base optimizers: rules from the gradient g to the update u at learning rate 1. The next weights are w + ηu, with η
// from a tuner.
#include <onedge/config/deck.hpp>
#include <onedge/core/kokkos.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace onedge::optimizer {

/// A vector of the state, with the name that it has in checkpoints.
template <class Real, class Space>
struct NamedVector {
  std::string name;
  VectorWindow<Real, Space> values;  // one value per parameter
};

/// A base optimizer with its state for P parameters. All vectors are of length P in the memory of Space.
template <class Real, class Space>
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Advances the state by the gradient g at the current weights and writes u. One kernel.
  virtual void update(Space const& space, VectorWindow<Real const, Space> gradient,
                      VectorWindow<Real, Space> update) = 0;

  /// Writes the diagonal of the preconditioner P, after the moment update of the same step; ones here, where there is
  /// none. Throws Error before the first update of an optimizer whose P is not defined then.
  virtual void preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const;
  /// Whether P is another than the identity.
  virtual bool is_preconditioned() const { return false; }

  /// The value of η·λmax(P⁻¹H) at the edge of stability on a quadratic with constant P.
  virtual double edge() const = 0;

  /// The state for checkpoints: windows to read from and to restore into.
  virtual std::vector<NamedVector<Real, Space>> vectors() = 0;
  virtual std::map<std::string, double> scalars() const { return {}; }
  /// Throws Error where one is missing.
  virtual void restore_scalars(std::map<std::string, double> const& scalars);
};

/// Section `optimizer` of a deck. Keys that another kind uses keep their defaults.
struct OptimizerConfig {
  std::string kind = "gd";  // gd | momentum | rmsprop | adam
  double momentum = 0.9;
  bool nesterov = false;
  double decay = 0.999;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double eps_root = 0.0;

  /// Reads and checks the keys of the chosen kind. Throws InputError.
  static OptimizerConfig bind(config::Section section);
};

/// Throws Error for a kind that does not exist.
template <class Real, class Space>
std::unique_ptr<Optimizer<Real, Space>> make_optimizer(OptimizerConfig const& config, std::size_t parameters);

/// Vectors of its state, known without making one.
std::size_t state_vectors(OptimizerConfig const& config);

}  // namespace onedge::optimizer
