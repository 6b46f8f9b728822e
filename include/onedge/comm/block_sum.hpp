#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/kokkos.hpp>

#include <vector>

namespace onedge::comm {

/// The sum of one vector per block of samples, in a binary tree over the global block index that is the same for every
/// number of ranks: node (level l, index i) is the sum of blocks [i·2^l, (i+1)·2^l). A rank keeps the nodes that its
/// own blocks complete, O(log blocks) vectors; finish() hands each rank a slice of everybody's nodes, where the tree is
/// completed in block order. So the bits of the sum depend on the blocks alone.
template <class Real, class Space>
class BlockSum {
 public:
  /// Vectors of `length`; this rank adds blocks first_blocks[rank] … first_blocks[rank + 1] − 1, in order.
  /// first_blocks has size() + 1 entries.
  BlockSum(Space const& space, Communicator const& communicator, std::size_t length,
           std::vector<std::size_t> first_blocks);

  void begin();
  /// Adds the next block's vector; its contents are copied.
  void add(VectorWindow<Real const, Space> block);
  /// Room for the next block's vector, whatever it held, up to the call of add() that takes it from there.
  VectorWindow<Real, Space> next();
  void add();
  /// result ← the sum over all blocks of all ranks. Collective.
  void finish(VectorWindow<Real, Space> result);
  /// The same for vectors that are columns of equal length, one after another: slices[c] ← this rank's slice of column
  /// c; rank r's has counts[r] elements. Collective.
  void finish(std::vector<std::size_t> const& counts, std::vector<VectorWindow<Real, Space>> const& slices);

 private:
  struct Node {
    int level;
    std::size_t index;
    int buffer;
  };
  /// The nodes that a rank is left with; no buffers.
  std::vector<Node> nodes_of(int rank) const;
  std::vector<Node> exchange_nodes(std::size_t columns, std::vector<std::size_t> const& counts);
  /// The finished sum of this rank's slices, [columns, counts[rank]].
  Real* complete(std::size_t columns, std::vector<std::size_t> const& counts);
  int take_buffer();
  void give_buffer(int buffer) { m_free.push_back(buffer); }
  /// Room for so many elements, whatever they are; kept.
  static Real* room(Vector<Real, Space>& buffer, std::size_t count);

  Space m_space;
  Communicator const& m_communicator;
  std::size_t m_length;
  std::vector<std::size_t> m_first_blocks;
  std::size_t m_next = 0;
  int m_next_buffer = -1;  // handed out by next()
  std::vector<Node> m_stack;
  std::vector<Vector<Real, Space>> m_buffers;
  std::vector<int> m_free;
  Vector<Real, Space> m_send, m_receive;
};

}  // namespace onedge::comm
