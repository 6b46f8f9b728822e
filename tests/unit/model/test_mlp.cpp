// The MLP and the linear classifier: parameter counts (MODELS), names and shapes of the tensors, what the section
// `model` refuses.
#include <onedge/core/error.hpp>
#include <onedge/model/model.hpp>

#include <gtest/gtest.h>

#include <string>

#include "support/scratch.hpp"

namespace onedge::model {
namespace {

using Space = DefaultSpace;

ModelConfig config_of(std::string const& model, std::string const& loss = "{}") {
  auto const deck = config::Deck::from_text("model: " + model + "\nloss: " + loss, "test.yaml");
  ModelConfig config;
  config.bind(deck.root().section("model"), deck.root().section("loss"));
  deck.check_all_known();
  return config;
}

std::size_t parameters_of(std::string const& model, network::Shape const& sample, std::size_t classes) {
  return make_network<float, Space>(config_of(model), {sample, classes})->parameters().size();
}

TEST(Mlp, HasTheParameterCountsOfMnistAndCifar) {
  EXPECT_EQ(parameters_of("{hidden: [256, 256]}", {28, 28, 1}, 10), 269322u);
  EXPECT_EQ(parameters_of("{hidden: [256, 256, 256]}", {32, 32, 3}, 10), 920842u);
  EXPECT_EQ(parameters_of("{hidden: [1024]}", {32, 32, 3}, 100), 3072u * 1024 + 1024 + 1024 * 100 + 100);
}

TEST(Mlp, LinearHasNoHiddenLayer) {
  EXPECT_EQ(parameters_of("{kind: linear}", {28, 28, 1}, 10), 7850u);
  EXPECT_EQ(parameters_of("{kind: linear}", {32, 32, 3}, 10), 30730u);
  EXPECT_EQ(parameters_of("{hidden: []}", {7}, 3), 24u);
}

TEST(Mlp, TensorsHaveTheirNaturalShapesInOrder) {
  auto const network = make_network<double, Space>(config_of("{hidden: [5, 4], activation: gelu}"), {{2, 3, 1}, 3});
  auto const& tensors = network->parameters().tensors();
  ASSERT_EQ(tensors.size(), 6u);
  network::Shape const widths{6, 5, 4, 3};
  std::size_t offset = 0;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    for (std::size_t part = 0; part < 2; ++part) {
      auto const& tensor = tensors[2 * layer + part];
      bool const kernel = tensor.name == "dense_" + std::to_string(layer) + "/kernel";
      EXPECT_TRUE(kernel || tensor.name == "dense_" + std::to_string(layer) + "/bias") << tensor.name;
      EXPECT_EQ(tensor.parameter.shape,
                kernel ? network::Shape({widths[layer], widths[layer + 1]}) : network::Shape({widths[layer + 1]}));
      EXPECT_EQ(tensor.initializer.kind,
                kernel ? network::Initializer::Kind::lecun_normal : network::Initializer::Kind::zeros);
      EXPECT_EQ(tensor.initializer.fan_in, kernel ? widths[layer] : 0u);
      EXPECT_EQ(tensor.parameter.offset, offset);
      offset += tensor.parameter.size();
    }
  }
  EXPECT_EQ(offset, network->parameters().size());
}

TEST(Mlp, PytorchDrawsKernelsAndBiasesFromOneInterval) {
  for (auto const* kind : {"mlp, hidden: [5, 4]", "linear"}) {
    auto const config = config_of(std::string("{initializer: pytorch, kind: ") + kind + "}");
    auto const network = make_network<double, Space>(config, {{2, 3, 1}, 3});
    std::size_t fan_in = 6;
    for (auto const& tensor : network->parameters().tensors()) {
      EXPECT_EQ(tensor.initializer.kind, network::Initializer::Kind::uniform) << tensor.name;
      EXPECT_EQ(tensor.initializer.fan_in, fan_in) << tensor.name;
      if (tensor.name.find("bias") != std::string::npos) fan_in = tensor.parameter.shape[0];
    }
  }
}

TEST(Mlp, EveryActivationAndLossMakesANetwork) {
  for (auto const* activation : {"relu", "tanh", "gelu", "gelu_erf", "elu"}) {
    for (auto const* loss : {"cross_entropy", "squared_error"}) {
      auto const config =
          config_of(std::string("{activation: ") + activation + "}", std::string("{kind: ") + loss + "}");
      EXPECT_EQ((make_network<float, Space>(config, {{4}, 2})->parameters().size()),
                4u * 256 + 256 + 256 * 256 + 256 + 514);
    }
  }
}

TEST(ModelConfig, NamesTheMistake) {
  auto const refusal = [](std::string const& model, std::string const& loss = "{}") {
    return test::message_of<InputError>([&] { config_of(model, loss); });
  };
  EXPECT_NE(refusal("{kind: mpl}").find("mlp"), std::string::npos);
  EXPECT_NE(refusal("{activation: rely}").find("relu"), std::string::npos);
  EXPECT_NE(refusal("{initializer: torch}").find("pytorch"), std::string::npos);
  EXPECT_NE(refusal("{hidden: [16, 0]}").find("model.hidden"), std::string::npos);
  EXPECT_NE(refusal("{kind: linear, hidden: [16]}").find("hidden"), std::string::npos);
  EXPECT_NE(refusal("{}", "{weight_decay: -1.0}").find("loss.weight_decay"), std::string::npos);
  EXPECT_NE(refusal("{}", "{kind: squared}").find("squared_error"), std::string::npos);
}

}  // namespace
}  // namespace onedge::model
