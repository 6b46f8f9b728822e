#include <onedge/model/nanolm.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/select.hpp>

#include <cmath>

#include "blocks.hpp"

namespace onedge::model {

using network::Initializer;
using network::Network;
using network::Value;

void NanolmConfig::bind(config::Section model) {
  model.bind("width", width, "channels of a position", config::at_least_one);
  model.bind("depth", depth, "number of blocks", config::at_least_one);
  model.bind("heads", heads, "heads of the attention", config::at_least_one);
  model.bind("attention_width", attention_width, "width of queries, keys and values, all heads together",
             config::at_least_one);
  model.bind("mlp_width", mlp_width, "hidden width of the MLPs", config::at_least_one);
  model.choose("activation", activation, network::activation_names(), "activation inside the MLPs");
}

// Names are those that Flax gives to Optax's example: numbers run through the whole model.
template <class Real, class Space>
Value nanolm(Network<Real, Space>& network, std::size_t length, std::size_t vocabulary, NanolmConfig const& config,
             std::size_t classes) {
  require_heads("model.attention_width", config.attention_width, config.heads);
  std::size_t const width = count(config.width);
  auto const numbered = [](char const* name, std::int64_t i) { return name + std::to_string(i); };
  auto const dense = [&](Value const& x, std::int64_t i, std::size_t out) {
    return dense_layer(network, x, numbered("Dense_", i), out, Initializer::lecun_normal(x.width()));
  };
  auto const spread = Initializer::normal(1 / std::sqrt(static_cast<double>(width)));
  Value x = network::embedding(network, network.tokens(length), "Embed_0", vocabulary, width, spread);
  auto const table = network.parameter("Embed_1/embedding", {length, width}, spread);
  x = network::bias(network, x.reshaped({x.size()}), table).reshaped({length, width});
  Attention const attention{count(config.heads), count(config.attention_width), true, Initializer::Kind::lecun_normal};
  for (std::int64_t i = 0; i < config.depth; ++i) {
    Value const normal = network::layer_norm(network, x, numbered("LayerNorm_", 2 * i));
    x = network::add(network, self_attention(network, normal, numbered("MultiHeadDotProductAttention_", i), attention),
                     x);
    Value const hidden =
        dense(network::layer_norm(network, x, numbered("LayerNorm_", 2 * i + 1)), 2 * i, count(config.mlp_width));
    x = network::add(network, dense(network::activation(network, hidden, config.activation), 2 * i + 1, width), x);
  }
  return dense(network::layer_norm(network, x, numbered("LayerNorm_", 2 * config.depth)), 2 * config.depth, classes);
}

#define ONEDGE_INSTANTIATE(Real, Space) \
  template Value nanolm(Network<Real, Space>&, std::size_t, std::size_t, NanolmConfig const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
