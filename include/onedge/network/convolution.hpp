#pragma once
#include <onedge/linalg/convolution.hpp>
#include <onedge/network/network.hpp>

namespace onedge::network {

/// How a window slides over an image; pairs are (vertical, horizontal).
struct Sliding {
  using Pair = linalg::SlidingWindow::Pair;
  Pair size{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};

  static Sliding square(std::size_t size, std::size_t stride = 1, std::size_t padding = 0) {
    return {{size, size}, {stride, stride}, {padding, padding}};
  }
};

/// The window on a value [height, width, channels]. Throws Error for other shapes, and when the window does not fit.
linalg::SlidingWindow window_on(Value const& x, Sliding const& sliding);

/// y = x ∗ W without bias: x [height, width, in], W [window height, window width, in, out] is the parameter
/// NAME/kernel.
template <class Real, class Space>
Value convolution(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
                  Sliding const& sliding, Initializer initializer);

/// The same with Flax's default initialiser, lecun_normal over window and input channels.
template <class Real, class Space>
Value convolution(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
                  Sliding const& sliding) {
  std::size_t const fan_in = sliding.size[0] * sliding.size[1] * x.width();
  return convolution(network, x, name, out, sliding, Initializer::lecun_normal(fan_in));
}

}  // namespace onedge::network
