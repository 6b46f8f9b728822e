#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>

namespace onedge::model {

/// Vision transformer (Dosovitskiy et al. 2021), as in Scenic; the defaults are Ti/32.
struct VitConfig {
  std::int64_t patch = 32;
  std::int64_t width = 192;
  std::int64_t depth = 12;
  std::int64_t heads = 3;
  std::int64_t mlp_width = 768;
  std::string activation = "gelu";
  std::string classifier = "token";
  std::int64_t representation = 0;  // width of a tanh layer before the head; 0: none

  void bind(config::Section model);
};

/// Patches → class token, positions → blocks of attention and MLP → LayerNorm → class token or mean → dense head that
/// starts at 0: the logits. Throws InputError unless samples are [height, width, channels] with room for a patch.
template <class Real, class Space>
network::Value vit(network::Network<Real, Space>& network, network::Shape const& sample, VitConfig const& config,
                   std::size_t classes);

}  // namespace onedge::model
