#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>

namespace onedge::model {

/// MLP-Mixer (Tolstikhin et al. 2021), as in Scenic; the defaults are Ti/8.
struct MixerConfig {
  std::int64_t patch = 8;
  std::int64_t width = 192;
  std::int64_t depth = 12;
  std::int64_t token_width = 96;
  std::int64_t channel_width = 768;
  std::string activation = "gelu";

  void bind(config::Section model);
};

/// Patches → blocks of token and channel mixing → LayerNorm → mean over tokens → dense head that starts at 0: the
/// logits. Throws InputError unless samples are [height, width, channels] with room for a patch.
template <class Real, class Space>
network::Value mixer(network::Network<Real, Space>& network, network::Shape const& sample, MixerConfig const& config,
                     std::size_t classes);

}  // namespace onedge::model
