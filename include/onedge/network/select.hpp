#pragma once
#include <onedge/network/convolution.hpp>
#include <onedge/network/network.hpp>

namespace onedge::network {

/// y[t] = E[token t]: [length, width] from the integer input; adds the parameter NAME/embedding [vocabulary, width].
template <class Real, class Space>
Value embedding(Network<Real, Space>& network, Integers const& tokens, std::string const& name, std::size_t vocabulary,
                std::size_t width, Initializer initializer);

/// The largest pixel under a sliding window, channel by channel (the first of equals, decided by plane 0): x [height,
/// width, channels]. Padding never wins; it must be narrower than the window.
template <class Real, class Space>
Value max_pool(Network<Real, Space>& network, Value const& x, Sliding const& sliding);

}  // namespace onedge::network
