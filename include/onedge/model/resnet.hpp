#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace onedge::model {

/// ResNet34 (basic blocks without normalisation) and ResNet50 (bottlenecks with LayerNorm), else as in Scenic.
struct ResnetConfig {
  std::vector<std::int64_t> blocks = {3, 4, 6, 3};  // in each stage; filters double and pixels halve between stages
  std::int64_t filters = 64;                        // of the stem and of the first stage
  std::string activation = "relu";
  std::string projection = "scenic";
  bool zero_scale = true;  // the last norm of a block starts with scale 0

  void bind(config::Section model);
};

enum class ResnetKind { resnet34, resnet50 };

/// Convolution 7×7 stride 2 → [norm →] activation → max-pool 3×3 stride 2 → stages of residual blocks → global mean →
/// dense: the logits. No convolution has a bias. Throws InputError unless samples are [height, width, channels].
template <class Real, class Space>
network::Value resnet(network::Network<Real, Space>& network, network::Shape const& sample, ResnetKind kind,
                      ResnetConfig const& config, std::size_t classes);

}  // namespace onedge::model
