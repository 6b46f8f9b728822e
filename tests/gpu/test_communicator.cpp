// Every way to reach device memory, on one rank: NCCL, and MPI through copies on the host. With one rank all calls are
// copies, but they go through the library, its stream and its watchdog.
#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/device.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>

#include "compare.hpp"

namespace {

using namespace onedge;
using Space = DefaultSpace;

class DeviceCommunicator : public test::Device, public testing::WithParamInterface<std::string> {};

template <class Real>
Vector<Real, Space> make(std::vector<Real> const& values) {
  Vector<Real, Space> result("onedge::test::values", values.size());
  Kokkos::deep_copy(result, VectorWindow<Real const, HostSpace>(values.data(), values.size()));
  return result;
}

template <class Real>
std::vector<Real> host(Vector<Real, Space> const& values) {
  auto const values_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  return {values_host.data(), values_host.data() + values_host.extent(0)};
}

template <class Real>
void check(comm::Communicator const& device) {
  std::vector<Real> const values{Real(1.5), Real(-2), Real(4)};
  auto const a = make(values), b = make(std::vector<Real>(3, 0)), c = make(std::vector<Real>(3, 0));
  device.all_reduce(a.data(), 3);
  device.all_gather(a.data(), {3});
  EXPECT_EQ(host(a), values);
  device.reduce_scatter(a.data(), b.data(), {3});
  EXPECT_EQ(host(b), values);
  device.exchange(a.data(), {3}, c.data(), {3});
  EXPECT_EQ(host(c), values);
}

TEST_P(DeviceCommunicator, MovesNumbers) {
  if (GetParam() == "nccl" && comm::nccl_version().empty()) GTEST_SKIP() << "SKIPPED: this build has no NCCL";
  comm::MpiCommunicator const world(MPI_COMM_SELF);
  auto const device = comm::make_device_communicator(world, GetParam());
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->size(), 1);
  check<float>(*device);
  check<double>(*device);
  auto const whole = make(std::vector<double>{1, 2});
  device->broadcast(whole.data(), 2 * sizeof(double), 0);
  EXPECT_EQ(host(whole), (std::vector<double>{1, 2}));
  device->barrier();
}

/// The sum of blocks has the host's bits.
TEST_P(DeviceCommunicator, SumsBlocksAsTheHostDoes) {
  if (GetParam() == "nccl" && comm::nccl_version().empty()) GTEST_SKIP() << "SKIPPED: this build has no NCCL";
  comm::MpiCommunicator world(MPI_COMM_SELF);
  world.set_device(comm::make_device_communicator(world, GetParam()));
  constexpr std::size_t blocks = 13, length = 37;
  RandomStream const random(0, "block");
  comm::BlockSum<float, Space> on_device(Space(), world, length, {0, blocks});
  comm::BlockSum<float, HostSpace> on_host(HostSpace(), world, length, {0, blocks});
  on_device.begin(), on_host.begin();
  std::vector<float> sum_host(length);
  auto const sum = make(std::vector<float>(length, 0));
  for (std::size_t b = 0; b < blocks; ++b) {
    std::vector<float> block;
    for (std::size_t i = 0; i < length; ++i) block.push_back(static_cast<float>(random.normal(b * length + i)));
    on_device.add(make(block));
    on_host.add(VectorWindow<float const, HostSpace>(block.data(), length));
  }
  on_device.finish(sum);
  on_host.finish(VectorWindow<float, HostSpace>(sum_host.data(), length));
  EXPECT_EQ(host(sum), sum_host);
}

INSTANTIATE_TEST_SUITE_P(Ways, DeviceCommunicator, testing::Values("nccl", "host"),
                         [](auto const& tested) { return tested.param; });

TEST_F(DeviceCommunicator, RefusesOtherNames) {
  comm::MpiCommunicator const world(MPI_COMM_SELF);
  EXPECT_THROW(comm::make_device_communicator(world, "carrier_pigeon"), InputError);
}

}  // namespace
