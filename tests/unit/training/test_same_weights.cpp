// Ranks whose weights differ in one bit end together, with a message that names them.
#include <onedge/comm/agreement.hpp>
#include <onedge/comm/mpi_communicator.hpp>

#include <gtest/gtest.h>
#include <training/same_weights.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using namespace onedge;

template <class Real>
void check() {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  std::vector<Real> weights(1000);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<Real>(std::sin(static_cast<double>(i)));
  EXPECT_NO_THROW(training::require_same_weights(world, weights, 7));
  for (std::size_t const place : {std::size_t{0}, std::size_t{500}, std::size_t{999}}) {
    auto others = weights;
    if (world.rank() == 1) others[place] = std::nextafter(others[place], Real(2));
    if (world.size() == 1) {
      EXPECT_NO_THROW(training::require_same_weights(world, others, 7));
      continue;
    }
    try {
      training::require_same_weights(world, others, 7);
      ADD_FAILURE() << "rank " << world.rank() << " goes on";
    } catch (comm::SharedError const& error) {
      std::string const message = error.what();
      EXPECT_NE(message.find("after 7 steps"), std::string::npos) << message;
      EXPECT_NE(message.find("rank(s) 1 are"), std::string::npos) << message;
      EXPECT_FALSE(error.is_input_error());
    }
  }
  if (world.size() == 1) return;
  // Two values in each other's place, and zeros of the other sign, are other weights, too.
  auto others = weights;
  if (world.rank() == 1) std::swap(others[1], others[2]);
  EXPECT_THROW(training::require_same_weights(world, others, 7), comm::SharedError);
  std::vector<Real> const zero{world.rank() == 1 ? Real(-0.0) : Real(0)};
  EXPECT_THROW(training::require_same_weights(world, zero, 7), comm::SharedError);
}

TEST(SameWeights, AreTheSameToTheLastBitFloat) { check<float>(); }
TEST(SameWeights, AreTheSameToTheLastBitDouble) { check<double>(); }

}  // namespace
