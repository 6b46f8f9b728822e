#include <onedge/core/error.hpp>
#include <onedge/data/partition.hpp>

#include <algorithm>

namespace onedge::data {

namespace {

std::size_t ceiling(std::size_t a, std::size_t b) { return a / b + (a % b == 0 ? 0 : 1); }

}  // namespace

BlockPartition::BlockPartition(Unchecked, std::size_t samples, std::size_t block, int ranks)
    : m_samples(samples), m_block(block), m_ranks(ranks), m_blocks(0) {
  require(ranks >= 1, "a partition needs at least one rank, found ", ranks);
  require_input(samples >= 1, "data.samples: there must be at least one sample");
  require_input(block >= 1, "run.block: must be at least 1");
  m_blocks = ceiling(samples, block);
}

BlockPartition BlockPartition::with_idle_ranks(std::size_t samples, std::size_t block, int ranks) {
  return {Unchecked(), samples, block, ranks};
}

BlockPartition::BlockPartition(std::size_t samples, std::size_t block, int ranks, std::string const& whose)
    : BlockPartition(Unchecked(), samples, block, ranks) {
  auto const wanted = static_cast<std::size_t>(ranks);
  require_input(wanted <= samples, "run.block: ", whose, samples, " samples cannot be shared by ", ranks,
                " ranks; use at most ", samples, " ranks");
  // ⌈samples / b⌉ ≥ R as long as b·(R − 1) < samples.
  require_input(wanted <= m_blocks, "run.block: ", whose, samples, " samples in blocks of ", block, " make ", m_blocks,
                " block", m_blocks == 1 ? "" : "s", ", fewer than the ", ranks,
                " ranks; use run.block <= ", wanted > 1 ? (samples - 1) / (wanted - 1) : samples, ", or at most ",
                m_blocks, " rank", m_blocks == 1 ? "" : "s");
}

std::size_t BlockPartition::block_samples(std::size_t b) const {
  return std::min(m_samples, (b + 1) * m_block) - b * m_block;
}

std::size_t BlockPartition::first_block(int rank) const {
  return m_blocks * static_cast<std::size_t>(rank) / static_cast<std::size_t>(m_ranks);
}

std::size_t BlockPartition::first_sample(int rank) const { return std::min(m_samples, first_block(rank) * m_block); }

}  // namespace onedge::data
