// Small versions of the paper's networks: all passes on the device against the host's.
#include "compare_engines.hpp"
#include "support/small_models.hpp"

namespace {

using namespace onedge;

class DeviceModels : public test::Device, public testing::WithParamInterface<test::SmallModel> {
 protected:
  template <class Real, class Space>
  static test::Engine<Real, Space> engine() {
    auto const& [name, keys, data] = GetParam();
    auto const build = [config = test::model_config(keys), shape = data](network::Network<Real, Space>& network) {
      model::build_network(network, config, shape);
    };
    return {build, {5, 3}, static_cast<int>(data.classes), static_cast<int>(data.vocabulary)};
  }
  template <class Real>
  static void compare() {
    auto device = engine<Real, DefaultSpace>();
    auto host = engine<Real, HostSpace>();
    test::expect_same<Real>(device, host);
  }
};

TEST_P(DeviceModels, Float) { compare<float>(); }
TEST_P(DeviceModels, Double) { compare<double>(); }

INSTANTIATE_TEST_SUITE_P(Models, DeviceModels, testing::ValuesIn(test::small_models()),
                         [](auto const& tested) { return tested.param.name; });

}  // namespace
