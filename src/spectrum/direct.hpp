#pragma once
// One rank decides, all compute. Small dense problems (projected matrices, tests of convergence) have other bits on
// other processors; where every rank solved its own, ranks would part ways. So a solver runs on rank 0 alone, and the
// others do what its operations on vectors ask of them.
#include <onedge/spectrum/operator.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

namespace onedge::spectrum {

/// Thrown on rank 0 by a product of A when the solve is to end.
struct Stopped : std::exception {
  char const* what() const noexcept override { return "the eigen-solver was stopped"; }
};

/// A as the directing rank sees it: every product is one of all ranks. Counts them.
template <class Real, class Space>
class DirectedOperator : public Operator<Real, Space> {
 public:
  using Vectors = ShardedVectors<Real, Space>;

  DirectedOperator(Operator<Real, Space> const& a, std::function<bool()> stop, VectorPool<Real, Space>& pool);
  ~DirectedOperator() override;
  DirectedOperator(DirectedOperator const&) = delete;
  DirectedOperator& operator=(DirectedOperator const&) = delete;

  /// Throws Stopped.
  void apply(Vectors const& x, Vectors& y) const override;
  std::int64_t products() const { return m_products; }
  /// ‖A‖ from below: the largest ‖Ax‖/‖x‖ of the first product, which is with the vectors that a solve begins with.
  double norm() const { return m_norm; }
  /// What ranks other than 0 do until this operator ends on rank 0.
  void serve(std::shared_ptr<VectorPool<Real, Space>> const& pool) const;

 private:
  /// False when the solve is to stop. Collective.
  bool apply_together(Vectors const& x, Vectors& y) const;

  Operator<Real, Space> const& m_base;
  std::function<bool()> m_stop;
  VectorPool<Real, Space>& m_pool;
  mutable std::int64_t m_products = 0;
  mutable double m_norm = 0;
};

}  // namespace onedge::spectrum
