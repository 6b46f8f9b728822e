#pragma once
#include <onedge/comm/in_memory_of.hpp>

namespace onedge::comm {

/// values ← their sum over ranks, for a window in the memory of Space, after the kernels that write it.
template <class Real, class Space>
void all_reduce(Space const& space, Communicator const& communicator, VectorWindow<Real, Space> values) {
  if (communicator.size() > 1) in_memory_of(space, communicator).all_reduce(values.data(), values.extent(0));
}

/// An all_reduce of a window that becomes final from its end on: pieces of it are summed while the rest is computed.
template <class Real, class Space>
class GradualAllReduce {
 public:
  /// `piece`: elements that are worth a call.
  GradualAllReduce(Space const& space, Communicator const& communicator, VectorWindow<Real, Space> values,
                   std::size_t piece = (std::size_t{16} << 20) / sizeof(Real))
      : m_space(space), m_communicator(communicator), m_values(values), m_piece(piece), m_end(values.extent(0)) {}

  /// The elements from `first` on are final. Collective: the same calls on every rank.
  void settle_from(std::size_t first) {
    if (m_communicator.size() == 1 || first >= m_end || (first > 0 && m_end - first < m_piece)) return;
    in_memory_of(m_space, m_communicator).start_all_reduce(m_values.data() + first, m_end - first);
    m_end = first;
  }
  /// Everything is final.
  void finish() {
    settle_from(0);
    if (m_communicator.size() > 1) in_memory_of(m_space, m_communicator).finish_all_reduces();
  }

 private:
  Space m_space;
  Communicator const& m_communicator;
  VectorWindow<Real, Space> m_values;
  std::size_t m_piece;
  std::size_t m_end;  // what lies behind was begun
};

}  // namespace onedge::comm
