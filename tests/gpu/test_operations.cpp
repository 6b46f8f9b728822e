// Networks of every operation and loss: all passes on the device against the host's.
#include "compare_engines.hpp"
#include "support/small_networks.hpp"

namespace {

using namespace onedge;

class DeviceOperations : public test::Device, public testing::WithParamInterface<std::string> {
 protected:
  template <class Real>
  static void compare() {
    auto device = test::engine_of<Real, DefaultSpace>(GetParam());
    auto host = test::engine_of<Real, HostSpace>(GetParam());
    test::expect_same<Real>(device, host);
  }
};

TEST_P(DeviceOperations, Float) { compare<float>(); }
TEST_P(DeviceOperations, Double) { compare<double>(); }

INSTANTIATE_TEST_SUITE_P(Networks, DeviceOperations, testing::ValuesIn(test::small_networks()), [](auto const& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
});

}  // namespace
