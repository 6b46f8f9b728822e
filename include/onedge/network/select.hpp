#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// y[t] = E[token t]: [length, width] from the integer input; adds the parameter NAME/embedding [vocabulary, width].
template <class Real, class Space>
Value embedding(Network<Real, Space>& network, Integers const& tokens, std::string const& name, std::size_t vocabulary,
                std::size_t width, Initializer initializer);

/// The largest of every `group` neighbours of the last axis (the first of equals, decided by plane 0): width / group.
template <class Real, class Space>
Value max_select(Network<Real, Space>& network, Value const& x, std::size_t group);

}  // namespace onedge::network
