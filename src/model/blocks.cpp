#include "blocks.hpp"

#include <onedge/core/error.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/attention.hpp>
#include <onedge/network/convolution.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/softmax.hpp>

namespace onedge::model {

using network::Initializer;
using network::Network;
using network::Shape;
using network::Value;

template <class Real, class Space>
Value dense_layer(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
                  Initializer kernel, Initializer bias) {
  return network::bias(network, network::dense(network, x, name, out, kernel), name, bias);
}

template <class Real, class Space>
Value mlp_block(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t width,
                std::string const& activation) {
  auto const kernel = Initializer::xavier_uniform(x.width(), width);
  auto const bias = Initializer::normal(1e-6);
  Value const hidden = dense_layer(network, x, name + "/Dense_0", width, kernel, bias);
  return dense_layer(network, network::activation(network, hidden, activation), name + "/Dense_1", x.width(), kernel,
                     bias);
}

template <class Real, class Space>
Value self_attention(Network<Real, Space>& network, Value const& x, std::string const& name,
                     Attention const& attention) {
  std::size_t const in = x.width();
  std::size_t const depth = attention.width / attention.heads;
  auto const initializer = [&](std::size_t fan_in, std::size_t fan_out) {
    return attention.kernel == Initializer::Kind::lecun_normal ? Initializer::lecun_normal(fan_in)
                                                               : Initializer::xavier_uniform(fan_in, fan_out);
  };
  auto const project = [&](std::string const& part) {
    auto const kernel = network.parameter(name + "/" + part + "/kernel", {in, attention.heads, depth},
                                          initializer(in, attention.width));
    auto const bias = network.parameter(name + "/" + part + "/bias", {attention.heads, depth}, Initializer::zeros());
    return network::bias(network, network::dense(network, x, kernel), bias);
  };
  Value const queries = project("query"), keys = project("key"), values = project("value");
  Value const scores = network::attention_scores(network, queries, keys, attention.heads);
  Value const mixed = network::attention_mix(network, network::softmax(network, scores, attention.causal), values);
  auto const kernel =
      network.parameter(name + "/out/kernel", {attention.heads, depth, in}, initializer(attention.width, in));
  return network::bias(network, network::dense(network, mixed, kernel), name + "/out");
}

template <class Real, class Space>
Value patches(Network<Real, Space>& network, Shape const& sample, std::int64_t patch, std::int64_t width) {
  std::size_t const size = count(patch);
  require_input(size <= sample[0] && size <= sample[1], "model.patch: ", patch, " is larger than the images of ",
                sample[0], "x", sample[1], " pixels");
  Value const x = network::convolution(network, network.input(sample), "embedding", count(width),
                                       network::Sliding::square(size, size));
  return network::bias(network, x, "embedding").reshaped({x.shape[0] * x.shape[1], count(width)});
}

void require_images(Shape const& sample, std::string const& kind) {
  std::string shape;
  for (std::size_t const extent : sample) shape += concat(shape.empty() ? "" : ", ", extent);
  require_input(sample.size() == 3, "model.kind: ", kind,
                " takes images [height, width, channels]; the shape of a sample here is [", shape, "]");
}

void require_heads(std::string const& key, std::int64_t width, std::int64_t heads) {
  require_input(width % heads == 0, key, ": ", width, " is not a multiple of model.heads, ", heads);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                               \
  template Value dense_layer(Network<Real, Space>&, Value const&, std::string const&, std::size_t, Initializer,       \
                             Initializer);                                                                            \
  template Value mlp_block(Network<Real, Space>&, Value const&, std::string const&, std::size_t, std::string const&); \
  template Value self_attention(Network<Real, Space>&, Value const&, std::string const&, Attention const&);           \
  template Value patches(Network<Real, Space>&, Shape const&, std::int64_t, std::int64_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
