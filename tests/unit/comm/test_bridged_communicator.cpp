// Device memory through the host: on a build without devices both are the host's, and the copies are tested all the
// same.
#include <onedge/comm/mpi_communicator.hpp>

#include <gtest/gtest.h>

#include "src/comm/bridged_communicator.hpp"

namespace {

using namespace onedge;
using Space = DefaultSpace;
using Bridge = comm::BridgedCommunicator;

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
void check() {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  Bridge const bridge(world, Bridge::Way::copies);
  auto const ranks = static_cast<std::size_t>(world.size()), rank = static_cast<std::size_t>(world.rank());
  auto const value = [](std::size_t from, std::size_t i) { return static_cast<Real>(100 * from + i); };
  std::vector<std::size_t> counts;
  for (std::size_t r = 0; r < ranks; ++r) counts.push_back(3 + r % 2);
  std::vector<Real> own, sums, gathered, mine(counts[rank], 0);
  for (std::size_t r = 0; r < ranks; ++r) {
    for (std::size_t i = 0; i < counts[r]; ++i) {
      gathered.push_back(value(r, i));
      own.push_back(r == rank ? value(r, i) : Real(0));
    }
  }
  auto values = make<Real>(own);
  bridge.all_gather(values.data(), counts);
  EXPECT_EQ(host<Real>(values), gathered);
  bridge.all_reduce(values.data(), gathered.size());
  for (Real const v : gathered) sums.push_back(v * static_cast<Real>(ranks));
  EXPECT_EQ(host<Real>(values), sums);

  auto slice = make<Real>(mine);
  bridge.reduce_scatter(make<Real>(gathered).data(), slice.data(), counts);
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = value(rank, i) * static_cast<Real>(ranks);
  EXPECT_EQ(host<Real>(slice), mine);

  // To rank q goes the q-th run; from every rank comes its run for me.
  std::vector<Real> expected;
  for (std::size_t r = 0; r < ranks; ++r)
    for (std::size_t i = 0; i < counts[rank]; ++i) expected.push_back(value(rank, i));
  auto received = make<Real>(std::vector<Real>(expected.size(), 0));
  bridge.exchange(make<Real>(gathered).data(), counts, received.data(), std::vector<std::size_t>(ranks, counts[rank]));
  EXPECT_EQ(host<Real>(received), expected);
}

TEST(BridgedCommunicator, MovesFloats) { check<float>(); }
TEST(BridgedCommunicator, MovesDoubles) { check<double>(); }

TEST(BridgedCommunicator, Broadcasts) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  Bridge const bridge(world, Bridge::Way::copies);
  auto const values = make<double>({world.rank() + 0.5, world.rank() + 1.5});
  bridge.broadcast(values.data(), 2 * sizeof(double), world.size() - 1);
  EXPECT_EQ(host<double>(values), (std::vector<double>{world.size() - 0.5, world.size() + 0.5}));
}

}  // namespace
