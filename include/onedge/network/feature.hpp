#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// y = x + b on the last axis, in place; b [width] is the parameter NAME/bias.
template <class Real, class Space>
Value bias(Network<Real, Space>& network, Value const& x, std::string const& name,
           Initializer initializer = Initializer::zeros());

/// The same with a parameter that exists already: as many entries as the last axis has. A table of positions
/// [positions, channels] is a bias of x.reshaped({x.size()}).
template <class Real, class Space>
Value bias(Network<Real, Space>& network, Value const& x, Parameter const& bias);

/// y = x ∘ γ on the last axis; γ [width] is the parameter NAME/scale.
template <class Real, class Space>
Value scale(Network<Real, Space>& network, Value const& x, std::string const& name,
            Initializer initializer = Initializer::ones());

}  // namespace onedge::network
