#include <onedge/data/partition.hpp>

#include <algorithm>

#include "files.hpp"

namespace onedge::data::test {
namespace {

void expect_a_partition(BlockPartition const& partition) {
  auto const samples = partition.samples(), block = partition.block();
  int const ranks = partition.ranks();
  SCOPED_TRACE(concat(samples, " samples, blocks of ", block, ", ", ranks, " ranks"));
  std::size_t in_blocks = 0;
  for (std::size_t b = 0; b < partition.blocks(); ++b) {
    if (b + 1 < partition.blocks()) {
      ASSERT_EQ(partition.block_samples(b), block);
    }
    ASSERT_GE(partition.block_samples(b), 1U);
    in_blocks += partition.block_samples(b);
  }
  ASSERT_EQ(in_blocks, samples);
  std::size_t fewest = samples;
  std::size_t most = 0;
  ASSERT_EQ(partition.first_block(0), 0U);
  ASSERT_EQ(partition.last_block(ranks - 1), partition.blocks());
  std::size_t next_sample = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    if (rank > 0) {
      ASSERT_EQ(partition.first_block(rank), partition.last_block(rank - 1));
    }
    ASSERT_EQ(partition.first_sample(rank), next_sample);
    ASSERT_EQ(partition.first_sample(rank), std::min(samples, partition.first_block(rank) * block));
    std::size_t mine = 0;
    for (auto b = partition.first_block(rank); b < partition.last_block(rank); ++b) mine += partition.block_samples(b);
    ASSERT_EQ(partition.sample_count(rank), mine);
    next_sample += mine;
    fewest = std::min(fewest, partition.block_count(rank));
    most = std::max(most, partition.block_count(rank));
  }
  ASSERT_EQ(next_sample, samples);
  ASSERT_EQ(fewest, partition.blocks() / static_cast<std::size_t>(ranks));
  ASSERT_LE(most - fewest, 1U);
}

TEST(BlockPartition, CoversEverySampleOnceAndBalances) {
  for (std::size_t samples = 1; samples <= 70; ++samples) {
    for (std::size_t block = 1; block <= 20; ++block) {
      auto const blocks = static_cast<int>((samples + block - 1) / block);
      for (int ranks = 1; ranks <= blocks; ++ranks) {
        expect_a_partition(BlockPartition(samples, block, ranks));
      }
    }
  }
  expect_a_partition(BlockPartition(60000, 64, 7));
  expect_a_partition(BlockPartition(50000, 100, 500));
}

TEST(BlockPartition, RanksMayGoWithoutWhereThatIsWanted) {
  for (std::size_t samples = 1; samples <= 30; ++samples) {
    for (std::size_t block = 1; block <= 10; ++block) {
      for (int ranks = 1; ranks <= 40; ++ranks) {
        expect_a_partition(BlockPartition::with_idle_ranks(samples, block, ranks));
      }
    }
  }
  expect_a_partition(BlockPartition::with_idle_ranks(10000, 64, 160));
  expect_input_error([] { BlockPartition::with_idle_ranks(0, 64, 2); }, {"data.samples"});
}

TEST(BlockPartition, DoesNotDependOnOtherRanks) {
  BlockPartition const one(4096, 64, 1);
  BlockPartition const four(4096, 64, 4);
  EXPECT_EQ(one.blocks(), 64U);
  EXPECT_EQ(four.blocks(), 64U);
  EXPECT_EQ(four.first_sample(3), 3072U);
}

TEST(BlockPartition, SuggestsABlockThatWorks) {
  expect_input_error([] { BlockPartition(128, 64, 3); }, {"run.block: 128 samples in blocks of 64 make 2 blocks, fewer "
                                                          "than the 3 ranks; use run.block <= 63, or at most 2 "
                                                          "ranks"});
  expect_input_error([] { BlockPartition(128, 64, 3, "the training set's "); },
                     {"run.block: the training set's 128 samples in blocks of 64"});
  for (std::size_t samples = 1; samples <= 60; ++samples) {
    for (int ranks = 2; ranks <= static_cast<int>(samples); ++ranks) {
      try {
        BlockPartition(samples, samples, ranks);
        FAIL() << "one block for " << ranks << " ranks";
      } catch (InputError const& error) {
        std::string const message = error.what();
        auto const block = std::stoul(message.substr(message.rfind("<= ") + 3));
        EXPECT_NO_THROW(BlockPartition(samples, block, ranks)) << message;
        EXPECT_THROW(BlockPartition(samples, block + 1, ranks), InputError) << message;
      }
    }
  }
}

TEST(BlockPartition, RefusesWhatCannotBeShared) {
  expect_input_error([] { BlockPartition(3, 1, 4); }, {"3 samples cannot be shared by 4 ranks", "at most 3 ranks"});
  expect_input_error([] { BlockPartition(0, 64, 1); }, {"data.samples"});
  expect_input_error([] { BlockPartition(10, 0, 1); }, {"run.block"});
  EXPECT_THROW(BlockPartition(10, 1, 0), Error);
}

}  // namespace
}  // namespace onedge::data::test
