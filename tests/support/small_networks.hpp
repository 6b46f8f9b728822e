#pragma once
// Networks that use every operation and loss, small enough to be checked number by number.
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

#include "engine.hpp"

namespace onedge::test {

using namespace network;

inline constexpr int small_classes = 3;
inline constexpr int small_vocabulary = 5;

template <class Real, class Space>
Value layer(Network<Real, Space>& net, Value const& x, std::string const& name, std::size_t out) {
  return bias(net, dense(net, x, name, out, Initializer::lecun_normal(x.width())), name);
}

/// Residual fan-out, product of two activations, softmax and LayerNorm rows, a parameter used twice, a lookup by
/// integer, a pool, a value in three roles.
template <class Real, class Space>
void everything(Network<Real, Space>& net) {
  Value const x = net.input({2, 4}).reshaped({8});
  Integers const tokens = net.tokens(2);
  Value const characters =
      embedding(net, tokens, "characters", small_vocabulary, 4, Initializer::normal(1)).reshaped({8});
  Parameter const shared = net.parameter("shared/kernel", {8, 8}, Initializer::lecun_normal(8));
  Value const h = activation(net, layer(net, x, "first", 8), "gelu");
  Value const residual = add(net, activation(net, dense(net, h, shared), "tanh"), h);
  Value const product = multiply(net, residual, layer(net, characters, "gate", 8));
  Value const attention = softmax(net, product.reshaped({2, 4})).reshaped({8});
  Value const normal = layer_norm(net, add(net, attention, residual), "norm");
  Value const second = bias(net, dense(net, normal, shared), "second").reshaped({2, 2, 2});
  Value const selected = max_pool(net, second, {{1, 2}, {1, 2}, {0, 0}}).reshaped({4});
  net.finish(cross_entropy<Real, Space>(layer(net, relu(net, selected), "head", small_classes)));
}

/// Positions as rows: a sequence model with a loss at each position.
template <class Real, class Space>
void sequence(Network<Real, Space>& net) {
  Value const characters = embedding(net, net.tokens(3), "characters", small_vocabulary, 4, Initializer::normal(1));
  Value const square = multiply(net, characters, characters);
  Value const h = layer_norm(net, add(net, layer(net, square, "mix", 4), characters), "norm");
  net.finish(cross_entropy<Real, Space>(layer(net, h, "head", small_classes)));
}

/// Convolutions: 3×3 with padding, a strided one, one whose window is a single pixel; a pool.
template <class Real, class Space>
void images(Network<Real, Space>& net) {
  Value const x = activation(net, convolution(net, net.input({5, 4, 2}), "first", 3, Sliding::square(3, 1, 1)), "tanh");
  Value const same = add(net, convolution(net, x, "second", 3, {{3, 3}, {1, 1}, {1, 1}}), x);
  Value const wide = activation(net, bias(net, convolution(net, same, "wide", 4, Sliding::square(1)), "wide"), "gelu");
  Value const pooled = max_pool(net, wide, Sliding::square(3, 2, 1));  // windows that overlap
  Value const shrunk = layer(net, pooled.reshaped({pooled.size()}), "shrunk", 6);
  Value const small = activation(net, convolution(net, wide, "small", 2, {{3, 2}, {2, 1}, {1, 0}}), "tanh");
  Value const both = add(net, layer(net, small.reshaped({small.size()}), "both", 6), shrunk);
  net.finish(cross_entropy<Real, Space>(layer(net, both, "head", small_classes)));
}

/// A class token before the positions, a table of positions, mixing over positions, slices and means; the first prepend
/// and transpose read data, the others activations.
template <class Real, class Space>
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
  net.finish(cross_entropy<Real, Space>(layer(net, all, "head", small_classes)));
}

/// Two heads of attention over three positions, causal on characters and free on what follows; another number of keys.
template <class Real, class Space>
Value attend(Network<Real, Space>& net, Value const& x, Value const& keys, std::string const& name, bool causal) {
  Value const scores = attention_scores(net, layer(net, x, name + "/query", 4), layer(net, keys, name + "/key", 4), 2);
  return attention_mix(net, softmax(net, scores, causal), layer(net, keys, name + "/value", 6));
}

template <class Real, class Space>
void attention(Network<Real, Space>& net) {
  Value const characters = embedding(net, net.tokens(3), "characters", small_vocabulary, 6, Initializer::normal(1));
  Value const past = add(net, attend(net, characters, characters, "past", true), characters);
  Value const two = slice(net, past, 1, 2);
  Value const all = add(net, attend(net, past, two, "all", false), past);
  net.finish(cross_entropy<Real, Space>(layer(net, all, "head", small_classes)));
}

/// x → layers with one activation → loss.
template <class Real, class Space>
Build<Real, Space> mlp(std::string const& name, bool squared) {
  return [=](Network<Real, Space>& net) {
    Value x = net.input({6});
    for (int i = 0; i < 2; ++i) x = activation(net, layer(net, x, "dense_" + std::to_string(i), 5), name);
    x = layer(net, x, "dense_2", small_classes);
    net.finish(squared ? squared_error<Real, Space>(x) : cross_entropy<Real, Space>(x));
  };
}

/// A linear classifier: degree 1 up to the loss.
template <class Real, class Space>
void linear(Network<Real, Space>& net) {
  net.finish(squared_error<Real, Space>(layer(net, net.input({6}), "dense_0", small_classes)));
}

template <class Real, class Space>
Build<Real, Space> build_of(std::string const& name) {
  if (name == "everything") return everything<Real, Space>;
  if (name == "sequence") return sequence<Real, Space>;
  if (name == "linear") return linear<Real, Space>;
  if (name == "images") return images<Real, Space>;
  if (name == "attention") return attention<Real, Space>;
  if (name == "positions") return positions<Real, Space>;
  auto const slash = name.find('/');
  return mlp<Real, Space>(name.substr(0, slash), name.substr(slash + 1) == "squared");
}

/// Names for build_of.
inline std::vector<std::string> small_networks() {
  return {"everything",
          "sequence",
          "linear",
          "attention",
          "images",
          "positions",
          "tanh/cross_entropy",
          "tanh/squared",
          "gelu/cross_entropy",
          "gelu/squared",
          "gelu_erf/cross_entropy",
          "gelu_erf/squared",
          "elu/cross_entropy",
          "elu/squared",
          "relu/cross_entropy",
          "relu/squared"};
}

template <class Real, class Space>
Engine<Real, Space> engine_of(std::string const& name, std::vector<std::size_t> micro_batches = {5, 3}) {
  return {build_of<Real, Space>(name), std::move(micro_batches), small_classes, small_vocabulary};
}

}  // namespace onedge::test
