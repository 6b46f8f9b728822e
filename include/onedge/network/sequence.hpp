#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

// Operations on [positions, channels]: tokens of a sequence, or pixels.

/// [channels, positions].
template <class Real, class Space>
Value transpose(Network<Real, Space>& network, Value const& x);

/// The mean over all positions: [channels]. An image [height, width, channels] has height · width of them.
template <class Real, class Space>
Value mean(Network<Real, Space>& network, Value const& x);

/// The positions first … first + count − 1. Throws Error when there are fewer.
template <class Real, class Space>
Value slice(Network<Real, Space>& network, Value const& x, std::size_t first, std::size_t count);

/// The entries of a parameter [channels] as position 0, then those of x: [1 + positions, channels].
template <class Real, class Space>
Value prepend(Network<Real, Space>& network, Parameter const& token, Value const& x);

}  // namespace onedge::network
