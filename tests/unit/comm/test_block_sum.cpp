#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace onedge;
using Space = DefaultSpace;

/// Sums `blocks` vectors of widely different sizes, spread over the ranks of a communicator.
std::vector<float> sum(MPI_Comm mpi, std::size_t blocks, std::size_t length) {
  comm::MpiCommunicator const communicator(mpi);
  std::size_t const ranks = communicator.size();
  std::vector<std::size_t> borders;
  for (std::size_t r = 0; r <= ranks; ++r) borders.push_back(blocks * r / ranks);
  comm::BlockSum<float, Space> block_sum(Space(), communicator, length, borders);
  Vector<float, Space> block("onedge::test::block", length), result("onedge::test::result", length);
  RandomStream const random(0, "block");
  for (int repetition = 0; repetition < 2; ++repetition) {
    block_sum.begin();
    for (std::size_t b = borders[communicator.rank()]; b < borders[communicator.rank() + 1]; ++b) {
      auto const block_host = Kokkos::create_mirror_view(block);
      for (std::size_t i = 0; i < length; ++i) {
        block_host(i) = static_cast<float>(random.normal(b * length + i) * std::exp(4 * random.normal(b)));
      }
      Kokkos::deep_copy(block, block_host);
      block_sum.add(block);
    }
    block_sum.finish(result);
  }
  auto const result_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), result);
  return {result_host.data(), result_host.data() + length};
}

TEST(BlockSum, BitsDoNotDependOnRanks) {
  for (std::size_t const blocks : {4, 5, 7, 8, 13, 64, 101}) {
    EXPECT_EQ(sum(MPI_COMM_WORLD, blocks, 37), sum(MPI_COMM_SELF, blocks, 37)) << blocks << " blocks";
  }
}

TEST(BlockSum, IsTheSum) {
  RandomStream const random(0, "block");
  std::vector<float> const result = sum(MPI_COMM_WORLD, 13, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    double exact = 0, scale = 0;
    for (std::size_t b = 0; b < 13; ++b) {
      double const value = random.normal(b * 3 + i) * std::exp(4 * random.normal(b));
      exact += value;
      scale += std::abs(value);
    }
    EXPECT_NEAR(result[i], exact, 1e-6 * scale);
  }
}

TEST(BlockSum, VectorsShorterThanTheNumberOfRanks) { EXPECT_EQ(sum(MPI_COMM_WORLD, 9, 1), sum(MPI_COMM_SELF, 9, 1)); }

}  // namespace
