#pragma once
// Which rank owns which samples: contiguous runs of whole sample blocks, balanced to one block.
#include <cstddef>
#include <string>

namespace onedge::data {

/// B = ⌈samples / block⌉ blocks over R ranks; rank r owns the blocks ⌊B·r/R⌋ … ⌊B·(r+1)/R⌋ − 1. Only the very last
/// block may be short.
class BlockPartition {
 public:
  /// At least one block for every rank. Throws InputError when there are fewer (and names a run.block that would do),
  /// or nothing to share. `whose` samples they are ("a batch's "), for messages.
  BlockPartition(std::size_t samples, std::size_t block, int ranks, std::string const& whose = "");
  /// Where ranks may go without, as in an evaluation: any number of them. Throws InputError when there is nothing to
  /// share.
  static BlockPartition with_idle_ranks(std::size_t samples, std::size_t block, int ranks);

  std::size_t samples() const { return m_samples; }
  std::size_t block() const { return m_block; }
  int ranks() const { return m_ranks; }
  /// Number of blocks of all ranks together.
  std::size_t blocks() const { return m_blocks; }
  /// Samples in block b.
  std::size_t block_samples(std::size_t b) const;

  std::size_t first_block(int rank) const;
  /// One past the last block of the rank.
  std::size_t last_block(int rank) const { return first_block(rank + 1); }
  std::size_t block_count(int rank) const { return last_block(rank) - first_block(rank); }
  std::size_t first_sample(int rank) const;
  std::size_t sample_count(int rank) const { return first_sample(rank + 1) - first_sample(rank); }

 private:
  struct Unchecked {};
  BlockPartition(Unchecked, std::size_t samples, std::size_t block, int ranks);

  std::size_t m_samples;
  std::size_t m_block;
  int m_ranks;
  std::size_t m_blocks;
};

}  // namespace onedge::data
