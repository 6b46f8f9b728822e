#include <onedge/core/error.hpp>
#include <onedge/model/model.hpp>
#include <onedge/network/activation.hpp>

#include "mlp.hpp"

namespace onedge::model {

void ModelConfig::bind(config::Section model, config::Section loss_section) {
  model.choose("kind", kind, {"mlp", "linear", "resnet34", "resnet50", "mixer_ti8", "vit_ti32", "nanolm"},
               "kind of network; linear: an mlp without hidden layers; resnet34: without normalisation; resnet50: with "
               "LayerNorm; nanolm: for characters");
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
  bool const documenting = model.documenting();
  if (kind == "resnet34" || kind == "resnet50" || documenting) resnet.bind(model.when("kind: resnet34, resnet50"));
  if (kind == "resnet50" || documenting) {
    model.when("kind: resnet50")
        .bind("zero_scale", resnet.zero_scale,
              "whether the last norm of a block starts with scale 0, and the block as its shortcut alone");
  }
  if (kind == "mixer_ti8" || documenting) mixer.bind(model.when("kind: mixer_ti8"));
  if (kind == "vit_ti32" || documenting) vit.bind(model.when("kind: vit_ti32"));
  if (kind == "nanolm" || documenting) nanolm.bind(model.when("kind: nanolm"));
  model.bind(
      "initial", initial,
      "HDF5 file whose /parameters the run starts from, a checkpoint or any other; empty: weights drawn from run.seed");
  loss_section.choose("kind", loss, {"cross_entropy", "squared_error"},
                      "loss of a sample: cross entropy, or half the squared distance to the one-hot target");
  loss_section.bind("weight_decay", weight_decay,
                    "wd in f(w) = mean loss + (wd/2)‖w‖², over all parameters, biases included", config::non_negative);
}

namespace {

template <class Real, class Space>
network::Value logits_of(network::Network<Real, Space>& network, ModelConfig const& config, DataShape const& data) {
  if (config.kind == "nanolm") {
    require_input(data.vocabulary > 0, "model.kind: nanolm takes characters, but the samples are numbers");
    return nanolm(network, network::size_of(data.sample), data.vocabulary, config.nanolm, data.classes);
  }
  require_input(data.vocabulary == 0, "model.kind: ", config.kind, " takes numbers, but the samples are characters");
  if (config.kind == "mixer_ti8") return mixer(network, data.sample, config.mixer, data.classes);
  if (config.kind == "vit_ti32") return vit(network, data.sample, config.vit, data.classes);
  if (config.kind == "resnet34") {
    return resnet(network, data.sample, ResnetKind::resnet34, config.resnet, data.classes);
  }
  if (config.kind == "resnet50") {
    return resnet(network, data.sample, ResnetKind::resnet50, config.resnet, data.classes);
  }
  auto const hidden = config.kind == "linear" ? std::vector<std::int64_t>{} : config.hidden;
  return mlp(network, data.sample, hidden, config.activation, config.initializer, data.classes);
}

}  // namespace

template <class Real, class Space>
void build_network(network::Network<Real, Space>& network, ModelConfig const& config, DataShape const& data) {
  network::Value const logits = logits_of(network, config, data);
  network.finish(config.loss == "cross_entropy" ? network::cross_entropy<Real, Space>(logits)
                                                : network::squared_error<Real, Space>(logits));
}

template <class Real, class Space>
std::unique_ptr<network::Network<Real, Space>> make_network(ModelConfig const& config, DataShape const& data) {
  bool const takes_numbers = config.kind == "mlp" || config.kind == "linear";
  require_input(!takes_numbers || data.vocabulary == 0, "model.kind: ", config.kind,
                " takes numbers, but the samples are characters");
  auto network = std::make_unique<network::Network<Real, Space>>();
  build_network(*network, config, data);
  return network;
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                 \
  template void build_network(network::Network<Real, Space>&, ModelConfig const&, DataShape const&);    \
  template std::unique_ptr<network::Network<Real, Space>> make_network<Real, Space>(ModelConfig const&, \
                                                                                    DataShape const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
