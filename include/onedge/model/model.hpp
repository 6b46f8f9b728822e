#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace onedge::model {

/// The deck's sections `model` and `loss`, in so far as they make a network.
struct ModelConfig {
  std::string kind = "mlp";                       // mlp, linear
  std::vector<std::int64_t> hidden = {256, 256};  // widths of the hidden layers
  std::string activation = "relu";
  std::string initializer = "lecun_normal";  // mlp, linear
  std::string initial;                       // checkpoint to start from; empty: from the seed
  std::string loss = "cross_entropy";
  double weight_decay = 0;

  void bind(config::Section model, config::Section loss_section);
};

/// What the data asks of a network.
struct DataShape {
  network::Shape sample;
  std::size_t classes = 0;
};

template <class Real, class Space>
std::unique_ptr<network::Network<Real, Space>> make_network(ModelConfig const& config, DataShape const& data);

}  // namespace onedge::model
