#include <onedge/core/error.hpp>
#include <onedge/model/model.hpp>
#include <onedge/network/activation.hpp>

#include "mlp.hpp"

namespace onedge::model {

void ModelConfig::bind(config::Section model, config::Section loss_section) {
  model.choose("kind", kind, {"mlp", "linear"}, "kind of network; linear: an mlp without hidden layers");
  auto mlp_section = model.when("kind: mlp");
  if (kind == "mlp" || model.documenting()) {
    mlp_section.bind("hidden", hidden, "widths of the hidden layers", config::at_least_one);
    mlp_section.choose("activation", activation, network::activation_names(),
                       "activation after each hidden layer; gelu: its tanh approximation, gelu_erf: exact");
  }
  if (kind == "mlp" || kind == "linear" || model.documenting()) {
    model.when("kind: mlp, linear")
        .choose("initializer", initializer, {"lecun_normal", "pytorch"},
                "how dense layers start; lecun_normal: kernels truncated normal of deviation 1/√fan_in, biases 0; "
                "pytorch: kernels and biases uniform on ±1/√fan_in, the default of torch.nn.Linear");
  }
  model.bind(
      "initial", initial,
      "HDF5 file whose /parameters the run starts from, a checkpoint or any other; empty: weights drawn from run.seed");
  loss_section.choose("kind", loss, {"cross_entropy", "squared_error"},
                      "loss of a sample: cross entropy, or half the squared distance to the one-hot target");
  loss_section.bind("weight_decay", weight_decay,
                    "wd in f(w) = mean loss + (wd/2)‖w‖², over all parameters, biases included", config::non_negative);
}

template <class Real, class Space>
std::unique_ptr<network::Network<Real, Space>> make_network(ModelConfig const& config, DataShape const& data) {
  auto network = std::make_unique<network::Network<Real, Space>>();
  auto const hidden = config.kind == "linear" ? std::vector<std::int64_t>{} : config.hidden;
  network::Value const logits = mlp(*network, data.sample, hidden, config.activation, config.initializer, data.classes);
  network->finish(config.loss == "cross_entropy" ? network::cross_entropy<Real, Space>(logits)
                                                 : network::squared_error<Real, Space>(logits));
  return network;
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                 \
  template std::unique_ptr<network::Network<Real, Space>> make_network<Real, Space>(ModelConfig const&, \
                                                                                    DataShape const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
