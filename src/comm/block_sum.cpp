#include <onedge/comm/block_sum.hpp>
#include <onedge/core/error.hpp>

#include <utility>

namespace onedge::comm {

namespace {

bool siblings(int left_level, std::size_t left_index, int right_level, std::size_t right_index) {
  return left_level == right_level && left_index % 2 == 0 && right_index == left_index + 1;
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
void BlockSum<Real, Space>::add_to(int target, int source) {
  auto const to = m_buffers[target];
  auto const from = m_buffers[source];
  Kokkos::parallel_for(
      "onedge::BlockSum::add", range(m_space, m_length), KOKKOS_LAMBDA(std::size_t i) { to(i) += from(i); });
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
  Node node{0, m_next++, std::exchange(m_next_buffer, -1)};
  while (!m_stack.empty() && siblings(m_stack.back().level, m_stack.back().index, node.level, node.index)) {
    add_to(m_stack.back().buffer, node.buffer);
    give_buffer(node.buffer);
    node = {node.level + 1, node.index / 2, m_stack.back().buffer};
    m_stack.pop_back();
  }
  m_stack.push_back(node);
}

template <class Real, class Space>
std::vector<typename BlockSum<Real, Space>::Node> BlockSum<Real, Space>::nodes_of(std::size_t first, std::size_t last) {
  std::vector<Node> nodes;
  for (std::size_t block = first; block < last; ++block) {
    Node node{0, block, 0};
    while (!nodes.empty() && siblings(nodes.back().level, nodes.back().index, node.level, node.index)) {
      node = {node.level + 1, node.index / 2, 0};
      nodes.pop_back();
    }
    nodes.push_back(node);
  }
  return nodes;
}

template <class Real, class Space>
std::vector<std::size_t> BlockSum<Real, Space>::slices() const {
  auto const ranks = static_cast<std::size_t>(m_communicator.size());
  std::vector<std::size_t> counts;
  for (std::size_t r = 0; r < ranks; ++r) counts.push_back(m_length * (r + 1) / ranks - m_length * r / ranks);
  return counts;
}

template <class Real, class Space>
void BlockSum<Real, Space>::finish(VectorWindow<Real, Space> result) {
  int const rank = m_communicator.rank();
  int const ranks = m_communicator.size();
  require(m_next == m_first_blocks[rank + 1], "BlockSum: ", m_next - m_first_blocks[rank], " blocks were added, not ",
          m_first_blocks[rank + 1] - m_first_blocks[rank]);
  auto const slice = slices();
  // Everybody's slice of my nodes goes out, my slice of everybody's nodes comes in.
  std::vector<Node> nodes;
  std::vector<std::size_t> send_counts, receive_counts;
  for (int r = 0; r < ranks; ++r) {
    auto const theirs = nodes_of(m_first_blocks[r], m_first_blocks[r + 1]);
    nodes.insert(nodes.end(), theirs.begin(), theirs.end());
    receive_counts.push_back(theirs.size() * slice[rank]);
    send_counts.push_back(m_stack.size() * slice[r]);
  }
  m_send.resize(m_stack.size() * m_length);
  m_receive.resize(nodes.size() * slice[rank]);
  Real* next = m_send.data();
  std::size_t offset = 0;
  m_space.fence();
  for (int r = 0; r < ranks; ++r) {
    for (Node const& node : m_stack) {
      VectorWindow<Real, HostSpace> const part_host(next, slice[r]);
      Kokkos::deep_copy(part_host, VectorWindow<Real, Space>(m_buffers[node.buffer].data() + offset, slice[r]));
      next += slice[r];
    }
    offset += slice[r];
  }
  m_communicator.exchange(m_send.data(), send_counts, m_receive.data(), receive_counts);
  // The tree's remaining additions, in block order; what is left over is folded from the right.
  std::vector<std::pair<Node, Real*>> stack;
  auto const merge = [&](Real* into, Real const* from) {
    for (std::size_t i = 0; i < slice[rank]; ++i) into[i] += from[i];
  };
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    std::pair<Node, Real*> top{nodes[n], m_receive.data() + n * slice[rank]};
    while (!stack.empty() &&
           siblings(stack.back().first.level, stack.back().first.index, top.first.level, top.first.index)) {
      merge(stack.back().second, top.second);
      top = {{top.first.level + 1, top.first.index / 2, 0}, stack.back().second};
      stack.pop_back();
    }
    stack.push_back(top);
  }
  while (stack.size() > 1) {
    merge(stack[stack.size() - 2].second, stack.back().second);
    stack.pop_back();
  }
  std::vector<Real>& whole = m_send;
  whole.resize(m_length);
  std::size_t const mine = m_length * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks);
  std::copy(stack.front().second, stack.front().second + slice[rank], whole.begin() + mine);
  m_communicator.all_gather(whole.data(), slice);
  Kokkos::deep_copy(result, VectorWindow<Real, HostSpace>(whole.data(), m_length));
}

#define ONEDGE_INSTANTIATE(Real, Space) template class BlockSum<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::comm
