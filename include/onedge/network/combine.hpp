#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// a + b, in place of a where nothing else needs a (a residual connection: give the branch first, the shortcut second).
template <class Real, class Space>
Value add(Network<Real, Space>& network, Value const& a, Value const& b);

/// a ∘ b.
template <class Real, class Space>
Value multiply(Network<Real, Space>& network, Value const& a, Value const& b);

}  // namespace onedge::network
