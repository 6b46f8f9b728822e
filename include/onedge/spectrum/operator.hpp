#pragma once
#include <onedge/spectrum/sharded_vectors.hpp>

namespace onedge::spectrum {

/// A symmetric linear map on sharded vectors.
template <class Real, class Space>
class Operator {
 public:
  virtual ~Operator() = default;
  /// y ← A x, column by column of x; x and y do not overlap. Collective.
  virtual void apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const = 0;
};

/// −A: its largest eigenvalue is the most negative one of A.
template <class Real, class Space>
class NegatedOperator : public Operator<Real, Space> {
 public:
  explicit NegatedOperator(Operator<Real, Space> const& base) : m_base(base) {}
  void apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const override;

 private:
  Operator<Real, Space> const& m_base;
};

/// D A D with a diagonal D: with D = P^-1/2, the preconditioned A.
template <class Real, class Space>
class ScaledOperator : public Operator<Real, Space> {
 public:
  /// `diagonal`: D in its first column.
  ScaledOperator(Operator<Real, Space> const& base, ShardedVectors<Real, Space> diagonal)
      : m_base(base), m_diagonal(std::move(diagonal)) {}
  void apply(ShardedVectors<Real, Space> const& x, ShardedVectors<Real, Space>& y) const override;

 private:
  Operator<Real, Space> const& m_base;
  ShardedVectors<Real, Space> m_diagonal;
};

}  // namespace onedge::spectrum
