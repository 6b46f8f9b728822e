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
  Real* staged_slice(std::size_t rank, std::size_t column) const;
  /// Between a whole block [columns, length] and the staging memory, all slices of all columns.
  void move(MatrixWindow<Real, Space> whole, bool to_staging) const;

  Space m_space;
  Communicator const& m_communicator;
  std::vector<std::size_t> m_counts;
  std::size_t m_length = 0;
  std::size_t m_first = 0;
  std::size_t m_largest = 0;  // all slices are padded to this in the staging memory: equal counts are the fast case
  std::size_t m_columns = 0;
  std::vector<std::size_t> m_block_counts;   // padded counts of all columns together
  Vector<std::size_t, Space> m_borders;      // where slices begin, and the length
  Vector<Real, Space> m_staged, m_received;  // [rank][column][padded slice], [column][padded slice]
};

}  // namespace onedge::comm
