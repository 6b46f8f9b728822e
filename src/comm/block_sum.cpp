#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/in_memory_of.hpp>

#include <algorithm>
#include <utility>

namespace onedge::comm {

namespace {

/// Puts the next node on a stack of nodes in block order, and merges siblings as long as there are any.
template <class Node, class Merge>
void push(std::vector<Node>& stack, Node node, Merge const& merge) {
  auto const siblings = [&] {
    Node const& left = stack.back();
    return left.level == node.level && left.index % 2 == 0 && node.index == left.index + 1;
  };
  while (!stack.empty() && siblings()) {
    merge(stack.back().buffer, node.buffer);
    node = {node.level + 1, node.index / 2, stack.back().buffer};
    stack.pop_back();
  }
  stack.push_back(node);
}

template <class Real, class Space>
void add_to(Space const& space, VectorWindow<Real, Space> to, VectorWindow<Real, Space> from) {
  Kokkos::parallel_for(
      "onedge::BlockSum::add", range(space, to.extent(0)), KOKKOS_LAMBDA(std::size_t i) { to(i) += from(i); });
}

}  // namespace

template <class Real, class Space>
BlockSum<Real, Space>::BlockSum(Space const& space, Communicator const& communicator, std::size_t length,
                                std::vector<std::size_t> first_blocks)
    : m_space(space), m_communicator(communicator), m_length(length), m_first_blocks(std::move(first_blocks)) {
  require(m_first_blocks.size() == static_cast<std::size_t>(communicator.size()) + 1, "BlockSum: one border per rank");
}

template <class Real, class Space>
int BlockSum<Real, Space>::take_buffer() {
  if (m_free.empty()) {
    m_buffers.push_back(uninitialised<Vector<Real, Space>>("onedge::BlockSum::node", m_length));
    return static_cast<int>(m_buffers.size()) - 1;
  }
  int const buffer = m_free.back();
  m_free.pop_back();
  return buffer;
}

template <class Real, class Space>
void BlockSum<Real, Space>::begin() {
  for (Node const& node : m_stack) give_buffer(node.buffer);
  m_stack.clear();
  m_next = m_first_blocks[m_communicator.rank()];
}

template <class Real, class Space>
void BlockSum<Real, Space>::add(VectorWindow<Real const, Space> block) {
  Kokkos::deep_copy(m_space, next(), block);
  add();
}

template <class Real, class Space>
VectorWindow<Real, Space> BlockSum<Real, Space>::next() {
  if (m_next_buffer < 0) m_next_buffer = take_buffer();
  return VectorWindow<Real, Space>(m_buffers[m_next_buffer].data(), m_length);
}

template <class Real, class Space>
void BlockSum<Real, Space>::add() {
  require(m_next_buffer >= 0, "BlockSum: add() without next()");
  push(m_stack, Node{0, m_next++, std::exchange(m_next_buffer, -1)}, [&](int into, int from) {
    add_to<Real, Space>(m_space, m_buffers[into], m_buffers[from]);
    give_buffer(from);
  });
}

template <class Real, class Space>
std::vector<typename BlockSum<Real, Space>::Node> BlockSum<Real, Space>::nodes_of(int rank) const {
  std::vector<Node> nodes;
  for (std::size_t block = m_first_blocks[rank]; block < m_first_blocks[rank + 1]; ++block) {
    push(nodes, Node{0, block, 0}, [](int, int) {});
  }
  return nodes;
}

template <class Real, class Space>
Real* BlockSum<Real, Space>::room(Vector<Real, Space>& buffer, std::size_t count) {
  if (buffer.extent(0) < count) buffer = Vector<Real, Space>("onedge::BlockSum::room", count);
  return buffer.data();
}

// Everybody's slices of my nodes go out, my slices of everybody's nodes come in: m_receive, node by node in block
// order.
template <class Real, class Space>
std::vector<typename BlockSum<Real, Space>::Node> BlockSum<Real, Space>::exchange_nodes(
    std::size_t columns, std::vector<std::size_t> const& counts) {
  int const ranks = m_communicator.size();
  std::size_t const mine = columns * counts[m_communicator.rank()];
  std::vector<Node> nodes;
  std::vector<std::size_t> send_counts, receive_counts;
  for (int r = 0; r < ranks; ++r) {
    auto const theirs = nodes_of(r);
    nodes.insert(nodes.end(), theirs.begin(), theirs.end());
    receive_counts.push_back(theirs.size() * mine);
    send_counts.push_back(m_stack.size() * columns * counts[r]);
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) nodes[n].buffer = static_cast<int>(n);
  Real* next = room(m_send, m_stack.size() * m_length);
  room(m_receive, nodes.size() * mine);
  std::size_t offset = 0;
  for (int r = 0; r < ranks; ++r) {
    for (Node const& node : m_stack) {
      for (std::size_t c = 0; c < columns; ++c) {
        Real* const from = m_buffers[node.buffer].data() + c * (m_length / columns) + offset;
        Kokkos::deep_copy(m_space, VectorWindow<Real, Space>(next, counts[r]),
                          VectorWindow<Real, Space>(from, counts[r]));
        next += counts[r];
      }
    }
    offset += counts[r];
  }
  in_memory_of(m_space, m_communicator).exchange(m_send.data(), send_counts, m_receive.data(), receive_counts);
  return nodes;
}

template <class Real, class Space>
Real* BlockSum<Real, Space>::complete(std::size_t columns, std::vector<std::size_t> const& counts) {
  int const rank = m_communicator.rank();
  require(m_next == m_first_blocks[rank + 1], "BlockSum: ", m_next - m_first_blocks[rank], " blocks were added, not ",
          m_first_blocks[rank + 1] - m_first_blocks[rank]);
  std::size_t const mine = columns * counts[rank];
  auto const part = [&](int node) { return m_receive.data() + static_cast<std::size_t>(node) * mine; };
  auto const merge = [&](int into, int from) {
    add_to<Real, Space>(m_space, VectorWindow<Real, Space>(part(into), mine),
                        VectorWindow<Real, Space>(part(from), mine));
  };
  // The tree's remaining additions, in block order; what is left over is folded from the right.
  std::vector<Node> stack;
  for (Node const& node : exchange_nodes(columns, counts)) push(stack, node, merge);
  for (; stack.size() > 1; stack.pop_back()) merge(stack[stack.size() - 2].buffer, stack.back().buffer);
  return part(stack.front().buffer);
}

// In even slices, the last ones shorter or empty, but gathered in equal parts: that is the fast case.
template <class Real, class Space>
void BlockSum<Real, Space>::finish(VectorWindow<Real, Space> result) {
  auto const ranks = static_cast<std::size_t>(m_communicator.size());
  auto const rank = static_cast<std::size_t>(m_communicator.rank());
  std::size_t const even = (m_length + ranks - 1) / ranks;
  auto const border = [&](std::size_t r) { return std::min(m_length, even * r); };
  std::vector<std::size_t> counts;
  for (std::size_t r = 0; r < ranks; ++r) counts.push_back(border(r + 1) - border(r));
  VectorWindow<Real, Space> const slice(complete(1, counts), counts[rank]);
  Real* const whole = room(m_send, even * ranks);
  Kokkos::deep_copy(m_space, VectorWindow<Real, Space>(whole + even * rank, counts[rank]), slice);
  in_memory_of(m_space, m_communicator).all_gather(whole, std::vector<std::size_t>(ranks, even));
  Kokkos::deep_copy(m_space, result, VectorWindow<Real, Space>(whole, m_length));
}

template <class Real, class Space>
void BlockSum<Real, Space>::finish(std::vector<std::size_t> const& counts,
                                   std::vector<VectorWindow<Real, Space>> const& slices) {
  Real* const sums = complete(slices.size(), counts);
  std::size_t const mine = counts[m_communicator.rank()];
  for (std::size_t c = 0; c < slices.size(); ++c) {
    Kokkos::deep_copy(m_space, slices[c], VectorWindow<Real, Space>(sums + c * mine, mine));
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class BlockSum<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::comm
