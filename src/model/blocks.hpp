#pragma once
// Parts that several models share.
#include <onedge/network/network.hpp>

#include <cstdint>
#include <string>

namespace onedge::model {

inline std::size_t count(std::int64_t value) { return static_cast<std::size_t>(value); }

/// x W + b on the last axis, with the parameters NAME/kernel and NAME/bias.
template <class Real, class Space>
network::Value dense_layer(network::Network<Real, Space>& network, network::Value const& x, std::string const& name,
                           std::size_t out, network::Initializer kernel,
                           network::Initializer bias = network::Initializer::zeros());

/// Dense to `width`, activation, dense back: NAME/Dense_0 and NAME/Dense_1. Kernels xavier_uniform, biases
/// normal(1e-6).
template <class Real, class Space>
network::Value mlp_block(network::Network<Real, Space>& network, network::Value const& x, std::string const& name,
                         std::size_t width, std::string const& activation);

struct Attention {
  std::size_t heads;
  std::size_t width;  // of queries, keys and values, all heads together
  bool causal;
  network::Initializer::Kind kernel;  // xavier_uniform or lecun_normal
};

/// Multi-head self-attention with biases: NAME/query, key, value [in, heads, depth] and NAME/out [heads, depth, in].
template <class Real, class Space>
network::Value self_attention(network::Network<Real, Space>& network, network::Value const& x, std::string const& name,
                              Attention const& attention);

/// The image cut in patches, each a dense layer of its pixels: [patches, width], with the parameters embedding/kernel
/// [patch, patch, channels, width] and embedding/bias. Pixels that do not fill a patch are left out. Throws InputError
/// unless the sample is an image with room for a patch.
template <class Real, class Space>
network::Value patches(network::Network<Real, Space>& network, network::Shape const& sample, std::int64_t patch,
                       std::int64_t width);

/// Throws InputError unless samples are images [height, width, channels].
void require_images(network::Shape const& sample, std::string const& kind);
/// Throws InputError unless the key's value is a multiple of the number of heads.
void require_heads(std::string const& key, std::int64_t width, std::int64_t heads);

}  // namespace onedge::model
