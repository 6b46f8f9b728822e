#include <onedge/comm/all_reduce.hpp>
#include <onedge/comm/mpi_communicator.hpp>

#include <gtest/gtest.h>

namespace {

using namespace onedge;
using Space = DefaultSpace;

/// Rank r has r + i in element i. Pieces of at least four, from the end on, and what is left at last.
TEST(GradualAllReduce, SumsEveryElementOnce) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  constexpr std::size_t length = 11;
  for (std::vector<std::size_t> const& settled :
       {std::vector<std::size_t>{}, {0}, {9, 8, 6, 6, 3, 1}, {10, 0}, {4, 7, 2}}) {
    Vector<float, Space> const values("onedge::test::values", length);
    auto const values_host = Kokkos::create_mirror_view(values);
    for (std::size_t i = 0; i < length; ++i) values_host(i) = static_cast<float>(world.rank()) + static_cast<float>(i);
    Kokkos::deep_copy(values, values_host);
    comm::GradualAllReduce<float, Space> sum(Space(), world, values, 4);
    for (std::size_t const first : settled) sum.settle_from(first);
    sum.finish();
    Space().fence();
    Kokkos::deep_copy(values_host, values);
    int const ranks = world.size();
    for (std::size_t i = 0; i < length; ++i) {
      EXPECT_EQ(values_host(i), static_cast<float>(ranks * (ranks - 1) / 2) + static_cast<float>(ranks * i)) << i;
    }
  }
}

}  // namespace
