// Who wins in a pool: the first of equals, and never the padding.
#include <onedge/network/feature.hpp>
#include <onedge/network/select.hpp>
#include <onedge/network/sequence.hpp>

#include <gtest/gtest.h>
#include <support/engine.hpp>

namespace {

using namespace onedge;
using namespace onedge::network;
using Space = DefaultSpace;

/// A table of parameters as an image [height, width, 1], its pool, and the mean over the windows as the only logit of a
/// squared error: the gradient shows the winners.
test::Build<double, Space> pool_of(std::size_t height, std::size_t width, Sliding const& sliding) {
  return [=](Network<double, Space>& net) {
    Value const x = net.input({height * width});
    Value const image = bias(net, x, "image").reshaped({height, width, 1});
    net.finish(squared_error<double, Space>(mean(net, max_pool(net, image, sliding))));
  };
}

std::vector<double> gradient_of(std::size_t height, std::size_t width, Sliding const& sliding,
                                std::vector<double> const& pixels) {
  test::Engine<double, Space> engine(pool_of(height, width, sliding), {1}, 1, 1);
  engine.inputs().assign(pixels.size(), 0);
  engine.weights() = pixels;
  return engine.evaluate({}).gradient;
}

TEST(MaxPool, TheFirstOfEqualsWins) {
  // Mean 3, label 0: dℓ/dmean = 2, a quarter to each of four windows.
  auto const gradient = gradient_of(4, 4, Sliding::square(2, 2), std::vector<double>(16, 3.0));
  std::vector<double> expected(16, 0.0);
  for (std::size_t const pixel : {0, 2, 8, 10}) expected[pixel] = 0.5;
  EXPECT_EQ(gradient, expected);
}

TEST(MaxPool, PaddingNeverWinsAndOverlappingWindowsAddUp) {
  // All below zero. 3×3 windows with stride 2 and padding 1 on 3×3 pixels: four windows that all see the centre.
  std::vector<double> pixels(9, -3.0);
  pixels[4] = -1.0;
  auto const gradient = gradient_of(3, 3, Sliding::square(3, 2, 1), pixels);
  std::vector<double> expected(9, 0.0);
  expected[4] = -2.0;
  EXPECT_EQ(gradient, expected);
}

}  // namespace
