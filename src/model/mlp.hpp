#pragma once
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace onedge::model {

/// Flatten, then dense_i with bias and activation per hidden layer, then a dense head: the logits. Without hidden
/// layers it is the linear classifier. Initialisers: lecun_normal (kernels; biases 0) or pytorch (both U(±1/√fan_in)).
template <class Real, class Space>
network::Value mlp(network::Network<Real, Space>& network, network::Shape const& sample,
                   std::vector<std::int64_t> const& hidden, std::string const& activation,
                   std::string const& initializer, std::size_t classes);

}  // namespace onedge::model
