#include <onedge/model/vit.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/sequence.hpp>

#include "blocks.hpp"

namespace onedge::model {

using network::Initializer;
using network::Network;
using network::Value;

void VitConfig::bind(config::Section model) {
  model.bind("patch", patch, "pixels along the side of a patch", config::at_least_one);
  model.bind("width", width, "channels of a token", config::at_least_one);
  model.bind("depth", depth, "number of blocks", config::at_least_one);
  model.bind("heads", heads, "heads of the attention", config::at_least_one);
  model.bind("mlp_width", mlp_width, "hidden width of the MLPs", config::at_least_one);
  model.choose("activation", activation, network::activation_names(), "activation inside the MLPs");
  model.choose("classifier", classifier, {"token", "gap"},
               "what the head sees; token: a class token before the patches; gap: the mean of the patches");
  model.bind_or_word("representation", representation, "none", 0, "width of a tanh layer before the head",
                     config::at_least_one);
}

namespace {

template <class Real, class Space>
Value encoder_block(Network<Real, Space>& network, Value const& x, std::string const& name, VitConfig const& config) {
  Attention const attention{count(config.heads), count(config.width), false, Initializer::Kind::xavier_uniform};
  Value const normal = network::layer_norm(network, x, name + "/LayerNorm_0");
  Value const attended = self_attention(network, normal, name + "/MultiHeadDotProductAttention_0", attention);
  Value const y = network::add(network, attended, x);
  Value const hidden = network::layer_norm(network, y, name + "/LayerNorm_1");
  return network::add(network,
                      mlp_block(network, hidden, name + "/MlpBlock_0", count(config.mlp_width), config.activation), y);
}

}  // namespace

template <class Real, class Space>
Value vit(Network<Real, Space>& network, network::Shape const& sample, VitConfig const& config, std::size_t classes) {
  require_images(sample, "vit_ti32");
  require_heads("model.width", config.width, config.heads);
  Value x = patches(network, sample, config.patch, config.width);
  bool const has_token = config.classifier == "token";
  if (has_token) {
    x = network::prepend(network, network.parameter("cls", {1, 1, x.width()}, Initializer::zeros()), x);
  }
  network::Shape const shape = x.shape;
  auto const table =
      network.parameter("Transformer/posembed_input/pos_embedding", {1, shape[0], shape[1]}, Initializer::normal(0.02));
  x = network::bias(network, x.reshaped({x.size()}), table).reshaped(shape);
  for (std::int64_t i = 0; i < config.depth; ++i) {
    x = encoder_block(network, x, "Transformer/encoderblock_" + std::to_string(i), config);
  }
  x = network::layer_norm(network, x, "Transformer/encoder_norm");
  x = has_token ? network::slice(network, x, 0, 1).reshaped({x.width()}) : network::mean(network, x);
  if (config.representation > 0) {
    auto const kernel = Initializer::lecun_normal(x.width());
    x = network::activation(network, dense_layer(network, x, "pre_logits", count(config.representation), kernel),
                            "tanh");
  }
  return dense_layer(network, x, "output_projection", classes, Initializer::zeros());
}

#define ONEDGE_INSTANTIATE(Real, Space) \
  template Value vit(Network<Real, Space>&, network::Shape const&, VitConfig const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
