#pragma once
#include <onedge/network/pass.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace onedge::network {

/// One node of a network. It owns no storage: it reads and writes the planes of a pass.
///
/// With x(ε), y(ε) the Taylor expansions of its inputs and output, and x̄(ε), ȳ(ε) those of their adjoints:
///   forward(k)   y_k from planes 0 … k of the inputs; called for k ≤ output().degree only;
///   reverse(k)   adds x̄_k and the parameters' adjoints of order k, from ȳ_0 … ȳ_k (k = 0, 1);
///   contract()   adds ⟨ȳ₀, s⟩ to each column's scalar, s = the order-2 coefficient of the output that the operation
///                makes out of first-order inputs alone: uᵀHu = 2 Σ_nodes ⟨ȳ₀, s⟩.
/// Planes above the degree of a value are zero and do not exist; values of degree 0 have no adjoints.
template <class Real, class Space>
class Operation {
 public:
  Operation(std::string name, std::vector<Value> inputs, Shape output, int degree)
      : m_name(std::move(name)), m_inputs(std::move(inputs)), m_output{-1, std::move(output), std::min(degree, 2)} {}
  virtual ~Operation() = default;

  virtual void forward(Pass<Real, Space> const& pass, int order) const = 0;
  virtual void reverse(Pass<Real, Space> const& pass, int order) const = 0;
  virtual void contract(Pass<Real, Space> const&) const {}

  /// Whether contract() sets plane 1 of the output as well: forward(1) and the contraction out of the same numbers, in
  /// one sweep. Otherwise forward(1) comes before.
  virtual bool contract_goes_forward() const { return false; }
  /// Whether contract() or reverse(1) read ȳ₀: false for operations that are linear in their inputs alone.
  virtual bool reads_output_adjoint() const { return false; }
  /// Whether the output may overwrite input 0 (planes and adjoints): for linear operations only.
  virtual bool in_place() const { return false; }
  /// Whether forward(k > 0), reverse or contract read plane 0 of the output: it must then not be overwritten in place.
  virtual bool reads_output() const { return false; }
  /// Scratch elements wanted for a number of samples.
  virtual std::size_t scratch(std::size_t) const { return 0; }

  std::string const& name() const { return m_name; }
  std::vector<Value> const& inputs() const { return m_inputs; }
  Value const& input(std::size_t index = 0) const { return m_inputs[index]; }
  Value const& output() const { return m_output; }
  void set_output_id(int id) { m_output.id = id; }

 private:
  std::string m_name;
  std::vector<Value> m_inputs;
  Value m_output;
};

}  // namespace onedge::network
