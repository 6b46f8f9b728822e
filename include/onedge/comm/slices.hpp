#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/kokkos.hpp>

#include <vector>

namespace onedge::comm {

/// Moves vectors between two forms: whole on every rank, and one contiguous slice of each per rank. All columns of a
/// block go in one call of the communicator. Owns its staging memory: no allocation after the first call with the most
/// columns.
template <class Real, class Space>
class Slices {
 public:
  /// counts[r]: elements of rank r's slice.
  Slices(Space const& space, Communicator const& communicator, std::vector<std::size_t> counts);

  std::vector<std::size_t> const& counts() const { return m_counts; }
  /// Elements of a whole vector, of this rank's slice, and before it.
  std::size_t length() const { return m_length; }
  std::size_t local() const { return m_counts[static_cast<std::size_t>(m_communicator.rank())]; }
  std::size_t first() const { return m_first; }

  /// whole(c, ·) ← the slices of all ranks; whole is [columns, length()]. Collective.
  void all_gather(std::vector<VectorWindow<Real, Space>> const& slices, MatrixWindow<Real, Space> whole);
  /// slices[c] ← this rank's slice of the sum of whole(c, ·) over ranks. Collective.
  void reduce_scatter(MatrixWindow<Real, Space> whole, std::vector<VectorWindow<Real, Space>> const& slices);

 private:
  void make_room(std::size_t columns);
  /// copy(slice of a whole vector, its place in the staging memory) for all ranks and columns.
  template <class Copy>
  void for_each_slice(MatrixWindow<Real, Space> whole, Copy const& copy);

  Space m_space;
  Communicator const& m_communicator;
  std::vector<std::size_t> m_counts;
  std::size_t m_length = 0;
  std::size_t m_first = 0;
  std::vector<std::size_t> m_block_counts;  // counts of all columns together
  std::vector<Real> m_staged, m_received;   // [rank][column][slice], [column][slice]
};

}  // namespace onedge::comm
