#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/model/mixer.hpp>
#include <onedge/model/nanolm.hpp>
#include <onedge/model/resnet.hpp>
#include <onedge/model/vit.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace onedge::model {

/// The deck's sections `model` and `loss`, in so far as they make a network.
struct ModelConfig {
  std::string kind = "mlp";                       // mlp, linear, resnet34, resnet50, mixer_ti8, vit_ti32, nanolm
  std::vector<std::int64_t> hidden = {256, 256};  // widths of the hidden layers
  std::string activation = "relu";
  std::string initializer = "lecun_normal";  // mlp, linear
  ResnetConfig resnet;
  MixerConfig mixer;
  VitConfig vit;
  NanolmConfig nanolm;
  std::string initial;  // checkpoint to start from; empty: from the seed
  std::string loss = "cross_entropy";
  double weight_decay = 0;

  void bind(config::Section model, config::Section loss_section);
};

/// What the data asks of a network.
struct DataShape {
  network::Shape sample;
  std::size_t classes = 0;
  std::size_t vocabulary = 0;  // 0: samples are numbers; else integers below it, with a label at each position
};

/// Builds the deck's network into an empty one. Throws InputError when the data does not suit the kind of network.
template <class Real, class Space>
void build_network(network::Network<Real, Space>& network, ModelConfig const& config, DataShape const& data);

template <class Real, class Space>
std::unique_ptr<network::Network<Real, Space>> make_network(ModelConfig const& config, DataShape const& data);

}  // namespace onedge::model
