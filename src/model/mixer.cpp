#include <onedge/model/mixer.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/sequence.hpp>

#include "blocks.hpp"

namespace onedge::model {

using network::Initializer;
using network::Network;
using network::Value;

void MixerConfig::bind(config::Section model) {
  model.bind("patch", patch, "pixels along the side of a patch", config::at_least_one);
  model.bind("width", width, "channels of a token", config::at_least_one);
  model.bind("depth", depth, "number of blocks", config::at_least_one);
  model.bind("token_width", token_width, "hidden width of the MLPs over tokens", config::at_least_one);
  model.bind("channel_width", channel_width, "hidden width of the MLPs over channels", config::at_least_one);
  model.choose("activation", activation, network::activation_names(), "activation inside the MLPs");
}

template <class Real, class Space>
Value mixer(Network<Real, Space>& network, network::Shape const& sample, MixerConfig const& config,
            std::size_t classes) {
  require_images(sample, "mixer_ti8");
  Value x = patches(network, sample, config.patch, config.width);
  for (std::int64_t i = 0; i < config.depth; ++i) {
    std::string const name = "mixerblock_" + std::to_string(i);
    Value const tokens = network::transpose(network, network::layer_norm(network, x, name + "/LayerNorm_0"));
    Value const mixed =
        mlp_block(network, tokens, name + "/token_mixing", count(config.token_width), config.activation);
    x = network::add(network, network::transpose(network, mixed), x);
    Value const channels = network::layer_norm(network, x, name + "/LayerNorm_1");
    x = network::add(
        network, mlp_block(network, channels, name + "/channel_mixing", count(config.channel_width), config.activation),
        x);
  }
  x = network::mean(network, network::layer_norm(network, x, "pre_logits_norm"));
  return dense_layer(network, x, "output_projection", classes, Initializer::zeros());
}

#define ONEDGE_INSTANTIATE(Real, Space) \
  template Value mixer(Network<Real, Space>&, network::Shape const&, MixerConfig const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
