// What a network refuses when it is finished.
#include <onedge/core/error.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/network.hpp>
#include <onedge/network/select.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace onedge::network {
namespace {

using Space = DefaultSpace;
using Net = Network<double, Space>;

/// What finish() says; empty where it is content. `build` returns the logits.
std::string refusal(std::function<Value(Net&)> const& build) {
  Net net;
  Value const logits = build(net);
  try {
    net.finish(cross_entropy<double, Space>(logits));
  } catch (Error const& error) {
    return error.what();
  }
  return "";
}

Value layer(Net& net, Value const& x, std::string const& name) {
  return dense(net, x, name, 3, Initializer::lecun_normal(x.width()));
}

TEST(Network, AValueThatNothingUsesIsRefusedByName) {
  EXPECT_EQ(refusal([](Net& net) { return layer(net, net.input({4}), "used"); }), "");
  auto const branch = refusal([](Net& net) {
    Value const x = layer(net, net.input({4}), "used");
    layer(net, x, "forgotten");
    return bias(net, x, "end");
  });
  EXPECT_NE(branch.find("forgotten/kernel"), std::string::npos) << branch;
  EXPECT_NE(branch.find("[3]"), std::string::npos) << branch;
  EXPECT_EQ(branch.find("used/kernel"), std::string::npos) << branch;
  // The last of a chain that leads nowhere, and one behind the logits.
  EXPECT_NE(refusal([](Net& net) {
              Value const x = layer(net, net.input({4}), "used");
              relu(net, layer(net, x, "forgotten"));
              return x;
            }).find("relu"),
            std::string::npos);
  EXPECT_NE(refusal([](Net& net) {
              Value const x = net.input({4});
              Value const logits = layer(net, x, "used");
              layer(net, logits, "behind");
              return logits;
            }).find("behind/kernel"),
            std::string::npos);
}

TEST(Network, AValueOfAnotherNetworkIsRefused) {
  Net other;
  Value x = other.input({4});
  for (int i = 0; i < 3; ++i) x = layer(other, x, concat("layer_", i));
  Net net;
  net.input({4});
  EXPECT_THROW(layer(net, x, "first"), Error);
  EXPECT_THROW(layer(net, Value{-1, {4}, 0}, "second"), Error);
  EXPECT_THROW(net.finish(cross_entropy<double, Space>(x)), Error);
}

TEST(Network, AnInputThatNothingUsesIsRefused) {
  auto const said = refusal([](Net& net) {
    net.input({4});
    return embedding(net, net.tokens(1), "characters", 5, 3, Initializer::normal(1));
  });
  EXPECT_NE(said.find("input"), std::string::npos);
}

}  // namespace
}  // namespace onedge::network
