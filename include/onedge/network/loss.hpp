#pragma once
#include <onedge/network/pass.hpp>

#include <memory>
#include <string>

namespace onedge::network {

/// The end of a network: Σ over the rows of the logits of weight · ℓ(z, label). Rows are samples, or positions of a
/// sequence. Behaves as an operation whose output adjoint is the weight (order 0) and 0 (order 1).
template <class Real, class Space>
class Loss {
 public:
  explicit Loss(Value logits) : m_logits(std::move(logits)) {}
  virtual ~Loss() = default;

  /// Adds coefficient `order` of the loss to each column's scalar.
  virtual void forward(Pass<Real, Space> const& pass, int order) const = 0;
  /// Sets the adjoints of order `order` of the logits: weight · coefficient of ∇ℓ(z(ε)).
  virtual void reverse(Pass<Real, Space> const& pass, int order) const = 0;
  /// Adds ½ z₁ᵀ(∇²ℓ)z₁ · weight to each column's scalar; twice that is uᵀGu.
  virtual void contract(Pass<Real, Space> const& pass) const = 0;
  /// Rows whose largest logit is the label's, added to the scalar of column 0.
  virtual void count_correct(Pass<Real, Space> const& pass) const = 0;

  static constexpr std::string_view name() { return "loss"; }
  Value const& logits() const { return m_logits; }
  std::size_t rows_per_sample() const { return m_logits.size() / m_logits.width(); }

 private:
  Value m_logits;
};

/// ℓ = log Σ_j exp(z_j) − z_label.
template <class Real, class Space>
std::unique_ptr<Loss<Real, Space>> cross_entropy(Value const& logits);

/// ℓ = ½ Σ_j (z_j − [j = label])².
template <class Real, class Space>
std::unique_ptr<Loss<Real, Space>> squared_error(Value const& logits);

}  // namespace onedge::network
