#include "mlp.hpp"

#include <onedge/network/activation.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>

namespace onedge::model {

template <class Real, class Space>
network::Value mlp(network::Network<Real, Space>& network, network::Shape const& sample,
                   std::vector<std::int64_t> const& hidden, std::string const& activation,
                   std::string const& initializer, std::size_t classes) {
  auto const layer = [&](network::Value const& x, std::size_t index, std::size_t width) {
    std::string const name = "dense_" + std::to_string(index);
    bool const uniform = initializer == "pytorch";
    auto const kernel =
        uniform ? network::Initializer::uniform(x.width()) : network::Initializer::lecun_normal(x.width());
    auto const start = uniform ? network::Initializer::uniform(x.width()) : network::Initializer::zeros();
    return network::bias(network, network::dense(network, x, name, width, kernel), name, start);
  };
  network::Value x = network.input(sample).reshaped({network::size_of(sample)});
  std::size_t index = 0;
  for (std::int64_t const width : hidden) {
    x = network::activation(network, layer(x, index++, static_cast<std::size_t>(width)), activation);
  }
  return layer(x, index, classes);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                                \
  template network::Value mlp(network::Network<Real, Space>&, network::Shape const&, std::vector<std::int64_t> const&, \
                              std::string const&, std::string const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::model
