#include <onedge/comm/slices.hpp>

#include <numeric>

namespace onedge::comm {

namespace {

template <class Real>
using HostWindow = VectorWindow<Real, HostSpace>;

}  // namespace

template <class Real, class Space>
Slices<Real, Space>::Slices(Space const& space, Communicator const& communicator, std::vector<std::size_t> counts)
    : m_space(space), m_communicator(communicator), m_counts(std::move(counts)) {
  m_length = std::accumulate(m_counts.begin(), m_counts.end(), std::size_t{0});
  m_first = std::accumulate(m_counts.begin(), m_counts.begin() + communicator.rank(), std::size_t{0});
}

template <class Real, class Space>
void Slices<Real, Space>::make_room(std::size_t columns) {
  m_block_counts = m_counts;
  for (auto& count : m_block_counts) count *= columns;
  if (m_staged.size() < columns * m_length) m_staged.resize(columns * m_length);
  if (m_received.size() < columns * local()) m_received.resize(columns * local());
}

template <class Real, class Space>
template <class Copy>
void Slices<Real, Space>::for_each_slice(MatrixWindow<Real, Space> whole, Copy const& copy) {
  Real* next = m_staged.data();
  std::size_t first = 0;
  for (std::size_t const count : m_counts) {
    for (std::size_t c = 0; c < whole.extent(0); ++c) {
      copy(VectorWindow<Real, Space>(whole.data() + c * m_length + first, count), HostWindow<Real>(next, count));
      next += count;
    }
    first += count;
  }
}

template <class Real, class Space>
void Slices<Real, Space>::all_gather(std::vector<VectorWindow<Real, Space>> const& slices,
                                     MatrixWindow<Real, Space> whole) {
  m_space.fence();
  if (m_communicator.size() == 1) {
    for (std::size_t c = 0; c < slices.size(); ++c) {
      Kokkos::deep_copy(m_space, VectorWindow<Real, Space>(whole.data() + c * m_length, m_length), slices[c]);
    }
    return;
  }
  make_room(slices.size());
  for (std::size_t c = 0; c < slices.size(); ++c) {
    Real* const place = m_staged.data() + m_first * slices.size() + c * local();
    Kokkos::deep_copy(HostWindow<Real>(place, local()), slices[c]);
  }
  m_communicator.all_gather(m_staged.data(), m_block_counts);
  for_each_slice(whole, [](auto const& slice, auto const& staged) { Kokkos::deep_copy(slice, staged); });
}

template <class Real, class Space>
void Slices<Real, Space>::reduce_scatter(MatrixWindow<Real, Space> whole,
                                         std::vector<VectorWindow<Real, Space>> const& slices) {
  m_space.fence();
  if (m_communicator.size() == 1) {
    for (std::size_t c = 0; c < slices.size(); ++c) {
      Kokkos::deep_copy(m_space, slices[c], VectorWindow<Real, Space>(whole.data() + c * m_length, m_length));
    }
    return;
  }
  make_room(slices.size());
  for_each_slice(whole, [](auto const& slice, auto const& staged) { Kokkos::deep_copy(staged, slice); });
  m_communicator.reduce_scatter(m_staged.data(), m_received.data(), m_block_counts);
  for (std::size_t c = 0; c < slices.size(); ++c) {
    Kokkos::deep_copy(slices[c], HostWindow<Real>(m_received.data() + c * local(), local()));
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Slices<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::comm
