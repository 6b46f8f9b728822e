#include <onedge/model/resnet.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/convolution.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/select.hpp>
#include <onedge/network/sequence.hpp>

#include "blocks.hpp"

namespace onedge::model {

using network::Initializer;
using network::Network;
using network::Sliding;
using network::Value;

void ResnetConfig::bind(config::Section model) {
  model.bind("blocks", blocks, "residual blocks in each stage; from stage to stage filters double and pixels halve",
             config::at_least_one);
  model.bind("filters", filters, "filters of the stem and of the first stage", config::at_least_one);
  model.choose("activation", activation, network::activation_names(), "activation after each layer");
  model.choose(
      "projection", projection, {"scenic", "textbook"},
      "blocks whose shortcut is a 1x1 convolution, besides strided ones; scenic: those whose input has not four "
      "times as many channels as the block has filters (all basic blocks); textbook: those that change the "
      "number of channels");
}

namespace {

template <class Real, class Space>
class Builder {
 public:
  Builder(Network<Real, Space>& network, ResnetKind kind, ResnetConfig const& config)
      : m_network(network), m_config(config), m_bottleneck(kind == ResnetKind::resnet50) {}

  Value stem(Value const& x) const {
    Value const y = convolution(x, "stem_conv", m_config.filters, Sliding::square(7, 2, 3));
    return network::max_pool(m_network, activation(norm(y, "init_ln", false)), Sliding::square(3, 2, 1));
  }

  /// shortcut(x) + branch(x), activated. The stride is that of the 3×3 convolution, of the first one in basic blocks.
  Value block(Value const& x, std::string const& name, std::int64_t filters, std::size_t stride) const {
    std::int64_t const out = m_bottleneck ? 4 * filters : filters;
    bool const scenic = m_config.projection == "scenic";
    bool const widens = x.width() != count(scenic ? 4 * filters : out);
    Value shortcut = x;
    if (widens || stride != 1) {
      shortcut = convolution(x, name + "/proj_conv", out, Sliding::square(1, stride));
      shortcut = norm(shortcut, name + "/proj_ln", false);
    }
    Value y = x;
    if (m_bottleneck) y = layer(y, name, "1", filters, Sliding::square(1));
    y = layer(y, name, "2", filters, Sliding::square(3, stride, 1));
    y = convolution(y, name + "/conv3", out, m_bottleneck ? Sliding::square(1) : Sliding::square(3, 1, 1));
    y = norm(y, name + "/ln3", m_config.zero_scale);
    return activation(network::add(m_network, y, shortcut));
  }

 private:
  Value convolution(Value const& x, std::string const& name, std::int64_t filters, Sliding const& sliding) const {
    return network::convolution(m_network, x, name, count(filters), sliding);
  }
  Value norm(Value const& x, std::string const& name, bool zero_scale) const {
    if (!m_bottleneck) return x;
    return network::layer_norm(m_network, x, name, zero_scale ? Initializer::zeros() : Initializer::ones());
  }
  Value activation(Value const& x) const { return network::activation(m_network, x, m_config.activation); }
  Value layer(Value const& x, std::string const& block, char const* number, std::int64_t filters,
              Sliding const& sliding) const {
    Value const y = convolution(x, block + "/conv" + number, filters, sliding);
    return activation(norm(y, block + "/ln" + number, false));
  }

  Network<Real, Space>& m_network;
  ResnetConfig const& m_config;
  bool m_bottleneck;
};

}  // namespace

template <class Real, class Space>
Value resnet(Network<Real, Space>& network, network::Shape const& sample, ResnetKind kind, ResnetConfig const& config,
             std::size_t classes) {
  require_images(sample, kind == ResnetKind::resnet50 ? "resnet50" : "resnet34");
  Builder<Real, Space> const builder(network, kind, config);
  Value x = builder.stem(network.input(sample));
  int index = 0;
  std::int64_t filters = config.filters;
  for (std::size_t stage = 0; stage < config.blocks.size(); ++stage, filters *= 2) {
    for (std::int64_t block = 0; block < config.blocks[stage]; ++block) {
      std::size_t const stride = stage > 0 && block == 0 ? 2 : 1;
      x = builder.block(x, "ResidualBlock_" + std::to_string(index++), filters, stride);
    }
  }
  x = network::mean(network, x);
  return dense_layer(network, x, "output_projection", classes, Initializer::lecun_normal(x.width()));
}

#define ONEDGE_INSTANTIATE(Real, Space) \
  template Value resnet(Network<Real, Space>&, network::Shape const&, ResnetKind, ResnetConfig const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
