#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// (x − mean) / √(variance + epsilon) over the last axis, biased variance; LayerNorm is this, then scale, then bias.
template <class Real, class Space>
Value normalize(Network<Real, Space>& network, Value const& x, double epsilon = 1e-6);

/// LayerNorm with the parameters NAME/scale and NAME/bias.
template <class Real, class Space>
Value layer_norm(Network<Real, Space>& network, Value const& x, std::string const& name,
                 Initializer scale_initializer = Initializer::ones());

}  // namespace onedge::network
