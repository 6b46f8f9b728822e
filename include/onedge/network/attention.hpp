#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

// The two products of multi-head attention. Heads lie side by side in the channels: queries, keys and values are
// [positions, heads · depth], nothing is copied to split or merge them.

/// s_h = q_h k_hᵀ / √depth: [heads, positions of q, positions of k].
template <class Real, class Space>
Value attention_scores(Network<Real, Space>& network, Value const& queries, Value const& keys, std::size_t heads);

/// y_h = p_h v_h for weights p [heads, positions, positions of v]: [positions, heads · depth].
template <class Real, class Space>
Value attention_mix(Network<Real, Space>& network, Value const& weights, Value const& values);

}  // namespace onedge::network
