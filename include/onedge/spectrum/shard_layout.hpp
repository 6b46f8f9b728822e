#pragma once
#include <onedge/comm/communicator.hpp>

#include <cstddef>
#include <vector>

namespace onedge::spectrum {

/// How vectors of one length are spread over ranks: contiguous slices that begin on multiples of linalg::chunk, so that
/// inner products have the same bits on any number of ranks. A rank may own nothing.
class ShardLayout {
 public:
  ShardLayout(comm::Communicator const& communicator, std::size_t length);

  comm::Communicator const& communicator() const { return *m_communicator; }
  std::size_t length() const { return m_length; }
  /// Elements of every rank.
  std::vector<std::size_t> const& counts() const { return m_counts; }
  /// First element of this rank, and how many it owns.
  std::size_t first() const { return m_first; }
  std::size_t local() const { return m_counts[static_cast<std::size_t>(m_communicator->rank())]; }
  /// Chunks of all ranks, and the first of this rank.
  std::size_t chunks() const { return m_chunks; }
  std::size_t first_chunk() const { return m_first_chunk; }

 private:
  comm::Communicator const* m_communicator;
  std::size_t m_length;
  std::vector<std::size_t> m_counts;
  std::size_t m_first = 0;
  std::size_t m_chunks = 0;
  std::size_t m_first_chunk = 0;
};

}  // namespace onedge::spectrum
