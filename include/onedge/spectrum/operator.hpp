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
  virtual std::shared_ptr<ShardLayout const> const& layout() const = 0;
};

}  // namespace onedge::spectrum
