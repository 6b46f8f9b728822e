#pragma once
#include <onedge/network/network.hpp>

#include <string>
#include <vector>

namespace onedge::network {

/// max(x, 0), in place; the derivative at 0 is 0, and a NaN stays one.
template <class Real, class Space>
Value relu(Network<Real, Space>& network, Value const& x);

/// Smooth ones: tanh; gelu (½x(1 + tanh(√(2/π)(x + 0.044715x³))), Hendrycks and Gimpel 2016); gelu_erf (½x(1 +
/// erf(x/√2))); elu (x, or eˣ − 1 below 0). Throws Error for another name.
template <class Real, class Space>
Value activation(Network<Real, Space>& network, Value const& x, std::string const& name);

/// The names that decks may use.
inline std::vector<std::string> const& activation_names() {
  static std::vector<std::string> const names{"relu", "tanh", "gelu", "gelu_erf", "elu"};
  return names;
}

}  // namespace onedge::network
