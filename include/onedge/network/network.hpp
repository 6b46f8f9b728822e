#pragma once
#include <onedge/network/loss.hpp>
#include <onedge/network/operation.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace onedge::network {

/// A list of operations in order of evaluation, ending in a loss. Built by a model, run by an objective.
template <class Real, class Space>
class Network {
 public:
  // Building.
  /// The real input; at most one.
  Value input(Shape shape);
  /// The integer input; at most one.
  Integers tokens(std::size_t length);
  Parameter parameter(std::string const& name, Shape shape, Initializer initializer) {
    return m_parameters.add(name, std::move(shape), initializer);
  }
  /// Appends an operation and returns its output. Throws InputError where that is beyond any memory.
  Value apply(std::unique_ptr<Operation<Real, Space>> operation);
  /// Ends the network. Throws Error, which names it, when there is a value that nothing uses.
  void finish(std::unique_ptr<Loss<Real, Space>> loss);

  // Running. Each on one tile of samples; scalars are left as terms in the workspace.
  /// Plane 0 and the loss.
  void forward(Pass<Real, Space> const& pass) const;
  /// Adjoints of order 0; adds to the gradient. As it goes, tells `settled` from which entry on the gradient of this
  /// tile is complete, down to 0.
  using Settled = std::function<void(std::size_t)>;
  void reverse(Pass<Real, Space> const& pass, Settled const& settled = {}) const;
  /// The scalars become uᵀHu/2, from kept planes 0 and adjoint planes 0.
  void contract(Pass<Real, Space> const& pass) const;
  /// The scalars become f₂ = uᵀHu/2, from kept planes 0 by forward 1 and 2.
  void forward_second(Pass<Real, Space> const& pass) const;
  /// The scalars become f₁ = gᵀu, from kept planes 0.
  void forward_first(Pass<Real, Space> const& pass) const;
  /// The scalars become uᵀGu/2.
  void gauss_newton_curvature(Pass<Real, Space> const& pass) const;
  /// Forward 1 and reverse 1: adds Hv to the products (Gv when the pass says so).
  void product(Pass<Real, Space> const& pass) const;

  // Structure.
  ParameterLayout const& parameters() const { return m_parameters; }
  std::vector<std::unique_ptr<Operation<Real, Space>>> const& operations() const { return m_operations; }
  Loss<Real, Space> const& loss() const { return *m_loss; }
  Value const& input_value() const { return m_input; }
  std::size_t token_length() const { return m_tokens.length; }
  std::vector<Value> const& values() const { return m_values; }
  /// The value whose memory a value uses: itself, or the one that it overwrites.
  int storage(int id) const { return m_storage[id]; }
  /// Positions of the operations that produce (first) and last use the memory of a value; −1 for the input,
  /// operations().size() for the loss.
  int first_use(int id) const { return m_first_use[m_storage[id]]; }
  int last_use(int id) const { return m_last_use[m_storage[id]]; }
  /// Whether adjoint plane 0 of the memory of a value is read after the gradient pass.
  bool keeps_adjoint(int id) const { return m_keeps_adjoint[m_storage[id]]; }

 private:
  Value add_value(Shape shape, int degree);
  void check_own(Value const& value) const;
  void check_all_used() const;
  /// " of NAME, NAME …": the parameters that came with an operation; empty without any.
  std::string parameters_of(std::size_t position) const;
  void decide_storage();

  ParameterLayout m_parameters;
  std::vector<std::unique_ptr<Operation<Real, Space>>> m_operations;
  std::vector<std::size_t>
      m_known_parameters;  // how many there were when an operation was applied: no other is its own
  std::unique_ptr<Loss<Real, Space>> m_loss;
  std::vector<Value> m_values;
  Value m_input;
  Integers m_tokens;
  std::vector<int> m_storage;
  std::vector<int> m_first_use;
  std::vector<int> m_last_use;
  std::vector<bool> m_keeps_adjoint;
};

}  // namespace onedge::network
