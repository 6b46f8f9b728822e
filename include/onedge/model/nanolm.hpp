#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>

namespace onedge::model {

/// The character model of Optax's examples, without dropout.
struct NanolmConfig {
  std::int64_t width = 256;
  std::int64_t depth = 6;
  std::int64_t heads = 8;
  std::int64_t attention_width = 32;  // of queries, keys and values, all heads together
  std::int64_t mlp_width = 1024;
  std::string activation = "relu";

  void bind(config::Section model);
};

/// Character and position embeddings → blocks of causal attention and MLP → LayerNorm → dense: the logits of the next
/// character at every position, [length, classes].
template <class Real, class Space>
network::Value nanolm(network::Network<Real, Space>& network, std::size_t length, std::size_t vocabulary,
                      NanolmConfig const& config, std::size_t classes);

}  // namespace onedge::model
