// What is odd about data: counted by kind, the same for any number of ranks.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/data/warnings.hpp>

#include <gtest/gtest.h>

namespace onedge::data::test {
namespace {

using Texts = std::vector<std::string>;

TEST(Warnings, CountSamplesOfAKindAndNameTheFirst) {
  Warnings warnings;
  EXPECT_TRUE(warnings.empty());
  warnings.add("odd images", 7, "seven");
  warnings.add("odd images", 3, "three");
  warnings.add("a set as a whole");
  warnings.add("odd images", 5, "five");
  warnings.add("a set as a whole");
  EXPECT_EQ(warnings.texts(), (Texts{"a set as a whole", "odd images: 3, the first three"}));
  Warnings others;
  others.add("odd images", 1, "one");
  others.add("another set");
  warnings.add(others);
  EXPECT_EQ(warnings.texts(), (Texts{"a set as a whole", "another set", "odd images: 4, the first one"}));
}

TEST(Warnings, AreThoseOfAllRanks) {
  comm::MpiCommunicator const communicator(MPI_COMM_WORLD);
  auto const rank = static_cast<std::size_t>(communicator.rank());
  auto const ranks = static_cast<std::size_t>(communicator.size());
  Warnings warnings;
  EXPECT_TRUE(warnings.gathered(communicator).empty());
  warnings.add("about the set");
  // Later ranks have earlier samples.
  for (std::size_t i = 0; i < rank + 1; ++i)
    warnings.add("odd", 10 * (ranks - rank) + i, "of rank " + std::to_string(rank));
  if (rank + 1 == ranks) warnings.add("of the last", 0, "a name\nin two lines");
  auto const count = std::to_string(ranks * (ranks + 1) / 2);
  EXPECT_EQ(warnings.gathered(communicator).texts(),
            (Texts{"about the set", "odd: " + count + ", the first of rank " + std::to_string(ranks - 1),
                   "of the last: 1, the first a name\nin two lines"}));
}

}  // namespace
}  // namespace onedge::data::test
