#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/comm/slices.hpp>

#include <gtest/gtest.h>

namespace {

using namespace onedge;
using Space = DefaultSpace;

/// Rank r's slice of column c holds the values 100c + i of the elements i that it owns; counts 3, 0, 5, 2, …
TEST(Slices, GatherAndScatterBlocksOfColumns) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  std::size_t const pattern[] = {3, 0, 5, 2};
  std::vector<std::size_t> counts(pattern, pattern + world.size());
  comm::Slices<double, Space> slices(Space(), world, counts);
  auto const size = static_cast<double>(world.size());
  for (std::size_t const columns : {1, 3, 2}) {
    Matrix<double, Space> own("onedge::test::own", columns, slices.local());
    Matrix<double, Space> whole("onedge::test::whole", columns, slices.length());
    std::vector<VectorWindow<double, Space>> windows;
    auto const own_host = Kokkos::create_mirror_view(own);
    for (std::size_t c = 0; c < columns; ++c) {
      windows.emplace_back(own.data() + c * slices.local(), slices.local());
      for (std::size_t i = 0; i < slices.local(); ++i) {
        own_host(c, i) = 100.0 * static_cast<double>(c) + static_cast<double>(slices.first() + i);
      }
    }
    Kokkos::deep_copy(own, own_host);
    slices.all_gather(windows, whole);
    auto const whole_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole);
    for (std::size_t c = 0; c < columns; ++c)
      for (std::size_t i = 0; i < slices.length(); ++i) {
        EXPECT_EQ(whole_host(c, i), 100.0 * static_cast<double>(c) + static_cast<double>(i));
      }
    slices.reduce_scatter(whole, windows);  // every rank gives the same: the sum is its multiple
    auto const sums_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), own);
    for (std::size_t c = 0; c < columns; ++c)
      for (std::size_t i = 0; i < slices.local(); ++i) {
        EXPECT_EQ(sums_host(c, i), size * (100.0 * static_cast<double>(c) + static_cast<double>(slices.first() + i)));
      }
  }
}

}  // namespace
