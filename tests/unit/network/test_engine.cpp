// The engine's passes against each other and against central differences, for a network that has everything that an MLP
// lacks, and for every operation and loss.
#include <onedge/network/activation.hpp>
#include <onedge/network/attention.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/convolution.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/select.hpp>
#include <onedge/network/sequence.hpp>
#include <onedge/network/softmax.hpp>

#include <gtest/gtest.h>
#include <support/engine_checks.hpp>

#include <cmath>

namespace {

using namespace onedge;
using namespace onedge::network;
using Space = DefaultSpace;

constexpr int classes = 3;
constexpr int vocabulary = 5;

template <class Real>
Value layer(Network<Real, Space>& net, Value const& x, std::string const& name, std::size_t out) {
  return bias(net, dense(net, x, name, out, Initializer::lecun_normal(x.width())), name);
}

/// Residual fan-out, product of two activations, softmax and LayerNorm rows, a parameter used twice, a lookup by
/// integer, a pool, a value in three roles.
template <class Real>
void everything(Network<Real, Space>& net) {
  Value const x = net.input({2, 4}).reshaped({8});
  Integers const tokens = net.tokens(2);
  Value const characters = embedding(net, tokens, "characters", vocabulary, 4, Initializer::normal(1)).reshaped({8});
  Parameter const shared = net.parameter("shared/kernel", {8, 8}, Initializer::lecun_normal(8));
  Value const h = activation(net, layer(net, x, "first", 8), "gelu");
  Value const residual = add(net, activation(net, dense(net, h, shared), "tanh"), h);
  Value const product = multiply(net, residual, layer(net, characters, "gate", 8));
  Value const attention = softmax(net, product.reshaped({2, 4})).reshaped({8});
  Value const normal = layer_norm(net, add(net, attention, residual), "norm");
  Value const second = bias(net, dense(net, normal, shared), "second").reshaped({2, 2, 2});
  Value const selected = max_pool(net, second, {{1, 2}, {1, 2}, {0, 0}}).reshaped({4});
  net.finish(cross_entropy<Real, Space>(layer(net, relu(net, selected), "head", classes)));
}

/// Positions as rows: a sequence model with a loss at each position.
template <class Real>
void sequence(Network<Real, Space>& net) {
  Value const characters = embedding(net, net.tokens(3), "characters", vocabulary, 4, Initializer::normal(1));
  Value const square = multiply(net, characters, characters);
  Value const h = layer_norm(net, add(net, layer(net, square, "mix", 4), characters), "norm");
  net.finish(cross_entropy<Real, Space>(layer(net, h, "head", classes)));
}

/// Convolutions: 3×3 with padding, a strided one, one whose window is a single pixel; a pool.
template <class Real>
void images(Network<Real, Space>& net) {
  Value const x = activation(net, convolution(net, net.input({5, 4, 2}), "first", 3, Sliding::square(3, 1, 1)), "tanh");
  Value const same = add(net, convolution(net, x, "second", 3, {{3, 3}, {1, 1}, {1, 1}}), x);
  Value const wide = activation(net, bias(net, convolution(net, same, "wide", 4, Sliding::square(1)), "wide"), "gelu");
  Value const pooled = max_pool(net, wide, Sliding::square(3, 2, 1));  // windows that overlap
  Value const shrunk = layer(net, pooled.reshaped({pooled.size()}), "shrunk", 6);
  Value const small = activation(net, convolution(net, wide, "small", 2, {{3, 2}, {2, 1}, {1, 0}}), "tanh");
  Value const both = add(net, layer(net, small.reshaped({small.size()}), "both", 6), shrunk);
  net.finish(cross_entropy<Real, Space>(layer(net, both, "head", classes)));
}

/// A class token before the positions, a table of positions, mixing over positions, slices and means; the first prepend
/// and transpose read data, the others activations.
template <class Real>
void positions(Network<Real, Space>& net) {
  Value const x = net.input({3, 4});
  Parameter const token = net.parameter("token", {1, 1, 4}, Initializer::normal(1));
  Parameter const table = net.parameter("table", {1, 4, 4}, Initializer::normal(1));
  Value const first = bias(net, prepend(net, token, x).reshaped({16}), table).reshaped({4, 4});
  Value const raw = layer(net, transpose(net, x), "raw", 2);  // [4, 2]
  Value const mixed = transpose(net, activation(net, layer(net, transpose(net, first), "mixed", 5), "tanh"));
  Value const second = prepend(net, token, add(net, multiply(net, mixed, mixed), mixed));  // [6, 4]
  Value const ends = add(net, slice(net, second, 0, 1), slice(net, second, 4, 1)).reshaped({4});
  Value const all = add(net, add(net, mean(net, second), ends), slice(net, transpose(net, raw), 0, 1).reshaped({4}));
  net.finish(cross_entropy<Real, Space>(layer(net, all, "head", classes)));
}

/// Two heads of attention over three positions, causal on characters and free on what follows; another number of keys.
template <class Real>
Value attend(Network<Real, Space>& net, Value const& x, Value const& keys, std::string const& name, bool causal) {
  Value const scores = attention_scores(net, layer(net, x, name + "/query", 4), layer(net, keys, name + "/key", 4), 2);
  return attention_mix(net, softmax(net, scores, causal), layer(net, keys, name + "/value", 6));
}

template <class Real>
void attention(Network<Real, Space>& net) {
  Value const characters = embedding(net, net.tokens(3), "characters", vocabulary, 6, Initializer::normal(1));
  Value const past = add(net, attend(net, characters, characters, "past", true), characters);
  Value const two = slice(net, past, 1, 2);
  Value const all = add(net, attend(net, past, two, "all", false), past);
  net.finish(cross_entropy<Real, Space>(layer(net, all, "head", classes)));
}

/// x → layers with one activation → loss.
template <class Real>
test::Build<Real, Space> mlp(std::string const& name, bool squared) {
  return [=](Network<Real, Space>& net) {
    Value x = net.input({6});
    for (int i = 0; i < 2; ++i) x = activation(net, layer(net, x, "dense_" + std::to_string(i), 5), name);
    x = layer(net, x, "dense_2", classes);
    net.finish(squared ? squared_error<Real, Space>(x) : cross_entropy<Real, Space>(x));
  };
}

/// A linear classifier: degree 1 up to the loss.
template <class Real>
void linear(Network<Real, Space>& net) {
  net.finish(squared_error<Real, Space>(layer(net, net.input({6}), "dense_0", classes)));
}

template <class Real>
test::Build<Real, Space> build_of(std::string const& name) {
  if (name == "everything") return everything<Real>;
  if (name == "sequence") return sequence<Real>;
  if (name == "linear") return linear<Real>;
  if (name == "images") return images<Real>;
  if (name == "attention") return attention<Real>;
  if (name == "positions") return positions<Real>;
  auto const slash = name.find('/');
  return mlp<Real>(name.substr(0, slash), name.substr(slash + 1) == "squared");
}

class EngineTest : public testing::TestWithParam<std::string> {};

template <class Real>
test::Engine<Real, Space> engine_of(std::string const& name, std::vector<std::size_t> micro_batches = {5, 3}) {
  return {build_of<Real>(name), std::move(micro_batches), classes, vocabulary};
}

TEST_P(EngineTest, IdentitiesDouble) {
  auto engine = engine_of<double>(GetParam());
  test::check_identities(engine, 1e-12);
}
TEST_P(EngineTest, IdentitiesFloat) {
  auto engine = engine_of<float>(GetParam());
  test::check_identities(engine, 2e-5);
}
TEST_P(EngineTest, GradientIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = engine_of<double>(GetParam());
  test::check_gradient_order(engine);
}
TEST_P(EngineTest, ProductIsTheLimitOfCentralDifferencesOfOrderTwo) {
  auto engine = engine_of<double>(GetParam());
  test::check_product_order(engine);
}
TEST_P(EngineTest, MicroBatchesDoNotMatter) {
  auto one = engine_of<double>(GetParam(), {8});
  auto three = engine_of<double>(GetParam(), {1, 4, 3});
  test::check_same(one, three, 1e-13);
}

/// Kernel files are compiled with relaxed arithmetic; a NaN must still reach the loss.
TEST_P(EngineTest, NotANumberReachesTheLoss) {
  for (std::size_t const position : {std::size_t{0}, std::size_t{20}}) {
    auto engine = engine_of<float>(GetParam());
    engine.weights()[position] = std::nan("");
    auto const loss = engine.evaluate({}).loss;
    EXPECT_TRUE(std::isnan(loss)) << "parameter " << position;
  }
}

std::string plain(testing::TestParamInfo<std::string> const& info) {
  std::string name = info.param;
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Networks, EngineTest,
                         testing::Values("everything", "sequence", "linear", "attention", "images", "positions",
                                         "tanh/cross_entropy", "tanh/squared", "gelu/cross_entropy", "gelu/squared",
                                         "gelu_erf/cross_entropy", "gelu_erf/squared", "elu/cross_entropy",
                                         "elu/squared", "relu/cross_entropy", "relu/squared"),
                         plain);

}  // namespace
