// The paper's networks: parameter counts (asserted exactly), names and shapes of their tensors, how they start, what
// they refuse; and for a small version of each, the engine's passes against each other and against central differences.
#include <onedge/core/error.hpp>
#include <onedge/model/model.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "support/engine_checks.hpp"
#include "support/scratch.hpp"
#include "support/small_models.hpp"

namespace onedge::model {
namespace {

using Space = DefaultSpace;
using network::Initializer;
using network::Shape;

std::size_t parameters_of(std::string const& model, DataShape const& data) {
  return make_network<float, Space>(test::model_config(model), data)->parameters().size();
}

/// Tensors by name.
std::map<std::string, network::ParameterLayout::Tensor> tensors_of(std::string const& model, DataShape const& data) {
  std::map<std::string, network::ParameterLayout::Tensor> result;
  auto const network = make_network<float, Space>(test::model_config(model), data);
  for (auto const& tensor : network->parameters().tensors()) result.emplace(tensor.name, tensor);
  return result;
}

DataShape const cifar10{{32, 32, 3}, 10}, cifar100{{32, 32, 3}, 100}, imagenette{{224, 224, 3}, 10};
DataShape const shakespeare{{64}, 65, 65};

TEST(Models, HaveTheParametersOfThePaper) {
  EXPECT_EQ(parameters_of("kind: resnet34", cifar10), 22186186u);
  EXPECT_EQ(parameters_of("kind: resnet34, projection: textbook", cifar10), 21272778u);
  EXPECT_EQ(parameters_of("kind: resnet50", cifar10), 23528522u);
  EXPECT_EQ(parameters_of("kind: resnet34", cifar100), 22232356u);
  EXPECT_EQ(parameters_of("kind: resnet34, projection: textbook", cifar100), 21318948u);
  EXPECT_EQ(parameters_of("kind: resnet50", cifar100), 23712932u);
  EXPECT_EQ(parameters_of("kind: mixer_ti8", cifar10), 3637258u);
  EXPECT_EQ(parameters_of("kind: mixer_ti8", imagenette), 5415946u);
  EXPECT_EQ(parameters_of("kind: vit_ti32", imagenette), 5940490u);
  EXPECT_EQ(parameters_of("kind: nanolm", shakespeare), 3408513u);
}

TEST(Models, OpenChoicesChangeTheNetwork) {
  // No class token and one position less; a dense layer 192-192 more.
  EXPECT_EQ(parameters_of("kind: vit_ti32, classifier: gap", imagenette), 5940490u - 2 * 192);
  EXPECT_EQ(parameters_of("kind: vit_ti32, representation: 192", imagenette), 5940490u + 192 * 193);
  auto const scale = [](std::string const& keys) {
    return tensors_of("kind: resnet50, blocks: [1], filters: 4" + keys, cifar10)
        .at("ResidualBlock_0/ln3/scale")
        .initializer.kind;
  };
  EXPECT_EQ(scale(""), Initializer::Kind::zeros);
  EXPECT_EQ(scale(", zero_scale: false"), Initializer::Kind::ones);
}

void expect(std::map<std::string, network::ParameterLayout::Tensor> const& tensors, std::string const& name,
            Shape const& shape, Initializer const& initializer) {
  ASSERT_EQ(tensors.count(name), 1u) << name;
  auto const& tensor = tensors.at(name);
  EXPECT_EQ(tensor.parameter.shape, shape) << name;
  EXPECT_EQ(tensor.initializer.kind, initializer.kind) << name;
  EXPECT_EQ(tensor.initializer.fan_in, initializer.fan_in) << name;
  EXPECT_EQ(tensor.initializer.fan_out, initializer.fan_out) << name;
  EXPECT_EQ(tensor.initializer.deviation, initializer.deviation) << name;
}

TEST(Models, ResnetsHaveTheTensorsOfScenic) {
  auto const basic = tensors_of("kind: resnet34", cifar10);
  EXPECT_EQ(basic.size(), 1u + 16 * 3 + 2);
  expect(basic, "stem_conv/kernel", {7, 7, 3, 64}, Initializer::lecun_normal(147));
  expect(basic, "ResidualBlock_3/proj_conv/kernel", {1, 1, 64, 128}, Initializer::lecun_normal(64));
  expect(basic, "ResidualBlock_3/conv2/kernel", {3, 3, 64, 128}, Initializer::lecun_normal(576));
  expect(basic, "ResidualBlock_15/conv3/kernel", {3, 3, 512, 512}, Initializer::lecun_normal(4608));
  expect(basic, "output_projection/kernel", {512, 10}, Initializer::lecun_normal(512));
  expect(basic, "output_projection/bias", {10}, Initializer::zeros());
  auto const normed = tensors_of("kind: resnet50", cifar10);
  EXPECT_EQ(normed.size(), 3u + 16 * 9 + 4 * 3 + 2);
  expect(normed, "init_ln/scale", {64}, Initializer::ones());
  expect(normed, "ResidualBlock_0/proj_conv/kernel", {1, 1, 64, 256}, Initializer::lecun_normal(64));
  expect(normed, "ResidualBlock_0/proj_ln/bias", {256}, Initializer::zeros());
  expect(normed, "ResidualBlock_4/conv1/kernel", {1, 1, 512, 128}, Initializer::lecun_normal(512));
  expect(normed, "ResidualBlock_4/ln3/scale", {512}, Initializer::zeros());
}

TEST(Models, TransformersHaveTheTensorsOfFlax) {
  auto const mixer = tensors_of("kind: mixer_ti8", cifar10);
  EXPECT_EQ(mixer.size(), 2u + 12 * 12 + 4);
  expect(mixer, "embedding/kernel", {8, 8, 3, 192}, Initializer::lecun_normal(192));
  expect(mixer, "mixerblock_11/token_mixing/Dense_0/kernel", {16, 96}, Initializer::xavier_uniform(16, 96));
  expect(mixer, "mixerblock_0/channel_mixing/Dense_1/bias", {192}, Initializer::normal(1e-6));
  expect(mixer, "pre_logits_norm/scale", {192}, Initializer::ones());
  expect(mixer, "output_projection/kernel", {192, 10}, Initializer::zeros());
  auto const vit = tensors_of("kind: vit_ti32", imagenette);
  EXPECT_EQ(vit.size(), 4u + 12 * 16 + 4);
  std::string const block = "Transformer/encoderblock_7/";
  expect(vit, "cls", {1, 1, 192}, Initializer::zeros());
  expect(vit, "Transformer/posembed_input/pos_embedding", {1, 50, 192}, Initializer::normal(0.02));
  expect(vit, block + "MultiHeadDotProductAttention_0/query/kernel", {192, 3, 64},
         Initializer::xavier_uniform(192, 192));
  expect(vit, block + "MultiHeadDotProductAttention_0/value/bias", {3, 64}, Initializer::zeros());
  expect(vit, block + "MultiHeadDotProductAttention_0/out/kernel", {3, 64, 192}, Initializer::xavier_uniform(192, 192));
  expect(vit, block + "MlpBlock_0/Dense_0/kernel", {192, 768}, Initializer::xavier_uniform(192, 768));
  expect(vit, "Transformer/encoder_norm/bias", {192}, Initializer::zeros());
  auto const nanolm = tensors_of("kind: nanolm", shakespeare);
  EXPECT_EQ(nanolm.size(), 2u + 6 * 16 + 4);
  expect(nanolm, "Embed_0/embedding", {65, 256}, Initializer::normal(1.0 / 16));
  expect(nanolm, "Embed_1/embedding", {64, 256}, Initializer::normal(1.0 / 16));
  expect(nanolm, "MultiHeadDotProductAttention_5/key/kernel", {256, 8, 4}, Initializer::lecun_normal(256));
  expect(nanolm, "MultiHeadDotProductAttention_5/out/kernel", {8, 4, 256}, Initializer::lecun_normal(32));
  expect(nanolm, "LayerNorm_12/scale", {256}, Initializer::ones());
  expect(nanolm, "Dense_12/kernel", {256, 65}, Initializer::lecun_normal(256));
}

class SmallModelTest : public testing::TestWithParam<test::SmallModel> {
 public:
  template <class Real>
  static test::Engine<Real, Space> engine(std::vector<std::size_t> micro_batches = {5, 3}) {
    auto const& [name, keys, data] = GetParam();
    auto const config = test::model_config(keys);
    auto const build = [config, shape = data](network::Network<Real, Space>& network) {
      build_network(network, config, shape);
    };
    return {build, std::move(micro_batches), static_cast<int>(data.classes), static_cast<int>(data.vocabulary)};
  }
};

TEST_P(SmallModelTest, IdentitiesDouble) {
  auto engine = SmallModelTest::engine<double>();
  test::check_identities(engine, 1e-11);
}
TEST_P(SmallModelTest, IdentitiesFloat) {
  auto engine = SmallModelTest::engine<float>();
  test::check_identities(engine, 1e-4);
}
TEST_P(SmallModelTest, GradientIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = SmallModelTest::engine<double>();
  test::check_gradient_order(engine, 1e-4);
}
TEST_P(SmallModelTest, ProductIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = SmallModelTest::engine<double>();
  test::check_product_order(engine, 1e-4);
}
TEST_P(SmallModelTest, MicroBatchesDoNotMatter) {
  auto one = SmallModelTest::engine<double>({8}), three = SmallModelTest::engine<double>({1, 4, 3});
  test::check_same(one, three, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Models, SmallModelTest, testing::ValuesIn(test::small_models()),
                         [](auto const& parameter) { return parameter.param.name; });

/// Heads that start at 0: the loss is ln(classes), and no gradient reaches the body.
TEST(Models, ZeroHeadsStartAtLogClassesWithoutGradientInTheBody) {
  for (auto const& [name, keys, data] : test::small_models()) {
    if (name.rfind("mixer", 0) != 0 && name.rfind("vit", 0) != 0) continue;
    SCOPED_TRACE(name);
    auto const build = [config = test::model_config(keys), shape = data](network::Network<double, Space>& network) {
      build_network(network, config, shape);
    };
    test::Engine<double, Space> engine(build, {4}, static_cast<int>(data.classes), 1);
    engine.weights() = engine.network().parameters().initial_values(3);
    auto const result = engine.evaluate({});
    EXPECT_NEAR(result.loss, std::log(static_cast<double>(data.classes)), 1e-15);
    for (auto const& tensor : engine.network().parameters().tensors()) {
      bool const head = tensor.name.rfind("output_projection", 0) == 0;
      double largest = 0;
      for (std::size_t i = 0; i < tensor.parameter.size(); ++i) {
        largest = std::max(largest, std::abs(result.gradient[tensor.parameter.offset + i]));
      }
      if (head) {
        EXPECT_GT(largest, 1e-3) << tensor.name;
      } else {
        EXPECT_EQ(largest, 0.0) << tensor.name;
      }
    }
  }
}

TEST(Models, RefuseWhatDoesNotSuitThem) {
  auto const refusal = [](std::string const& model, DataShape const& data) {
    return test::message_of<InputError>([&] { make_network<float, Space>(test::model_config(model), data); });
  };
  DataShape const vectors{{64}, 10};
  EXPECT_NE(refusal("kind: resnet34", vectors).find("model.kind: resnet34 takes images"), std::string::npos);
  EXPECT_NE(refusal("kind: mixer_ti8", vectors).find("model.kind: mixer_ti8 takes images"), std::string::npos);
  EXPECT_NE(
      refusal("kind: vit_ti32", DataShape{{28, 28, 1}, 10}).find("model.patch: 32 is larger than the images of 28x28"),
      std::string::npos);
  EXPECT_NE(
      refusal("kind: vit_ti32, heads: 5", imagenette).find("model.width: 192 is not a multiple of model.heads, 5"),
      std::string::npos);
  EXPECT_NE(refusal("kind: nanolm, heads: 3", shakespeare).find("model.attention_width: 32"), std::string::npos);
  EXPECT_NE(refusal("kind: nanolm", cifar10).find("model.kind: nanolm takes characters"), std::string::npos);
  EXPECT_NE(refusal("kind: mlp", shakespeare).find("model.kind: mlp takes numbers"), std::string::npos);
  EXPECT_NE(refusal("kind: resnet34, projection: none", cifar10).find("scenic"), std::string::npos);
  EXPECT_NE(refusal("kind: resnet34, zero_scale: true", cifar10).find("zero_scale"), std::string::npos);
}

}  // namespace
}  // namespace onedge::model
