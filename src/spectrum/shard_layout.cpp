#include <onedge/linalg/vector.hpp>
#include <onedge/spectrum/shard_layout.hpp>

#include <algorithm>

namespace onedge::spectrum {

ShardLayout::ShardLayout(comm::Communicator const& communicator, std::size_t length)
    : m_communicator(&communicator), m_length(length), m_chunks((length + linalg::chunk - 1) / linalg::chunk) {
  auto const ranks = static_cast<std::size_t>(communicator.size());
  auto const border = [&](std::size_t r) { return std::min(length, m_chunks * r / ranks * linalg::chunk); };
  for (std::size_t r = 0; r < ranks; ++r) m_counts.push_back(border(r + 1) - border(r));
  auto const rank = static_cast<std::size_t>(communicator.rank());
  m_first = border(rank);
  m_first_chunk = m_chunks * rank / ranks;
}

}  // namespace onedge::spectrum
