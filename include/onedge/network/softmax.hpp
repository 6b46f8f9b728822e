#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// Softmax over the last axis. Causal, for scores [… , positions, positions]: row i knows the entries 0 … i only, and
/// the others are 0 in every plane.
template <class Real, class Space>
Value softmax(Network<Real, Space>& network, Value const& x, bool causal = false);

}  // namespace onedge::network
