#include <onedge/comm/in_memory_of.hpp>
#include <onedge/comm/slices.hpp>

#include <algorithm>
#include <numeric>

namespace onedge::comm {

namespace {

/// Copies run (rank r, column c) between whole(c, ·) and the staging memory. Item: r · columns + c.
template <class Real, class Space>
struct MoveSlices {
  Real* whole;
  Real* staged;
  VectorWindow<std::size_t const, Space> borders;
  std::size_t columns, length, largest;
  bool to_staging;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t item, std::size_t begin, std::size_t end) const {
    std::size_t const first = borders(item / columns);
    std::size_t const count = borders(item / columns + 1) - first;
    Real* const inside = whole + item % columns * length + first;
    Real* const outside = staged + item * largest;
    for (std::size_t i = begin; i < end && i < count; ++i) {
      if (to_staging) {
        outside[i] = inside[i];
      } else {
        inside[i] = outside[i];
      }
    }
  }
};

template <class Real, class Space>
void move_slices(Space const& space, std::size_t items, MoveSlices<Real, Space> const& work) {
  std::size_t const width = work.largest;
  if constexpr (is_host_space<Space>) {
    for (std::size_t item = 0; item < items; ++item) work(item, 0, width);
  } else {
    Kokkos::parallel_for(
        "onedge::Slices::move", range(space, items * width),
        KOKKOS_LAMBDA(std::size_t i) { work(i / width, i % width, i % width + 1); });
  }
}

}  // namespace

template <class Real, class Space>
Slices<Real, Space>::Slices(Space const& space, Communicator const& communicator, std::vector<std::size_t> counts)
    : m_space(space), m_communicator(communicator), m_counts(std::move(counts)) {
  m_length = std::accumulate(m_counts.begin(), m_counts.end(), std::size_t{0});
  m_first = std::accumulate(m_counts.begin(), m_counts.begin() + communicator.rank(), std::size_t{0});
  m_largest = *std::max_element(m_counts.begin(), m_counts.end());
  m_borders = Vector<std::size_t, Space>("onedge::Slices::borders", m_counts.size() + 1);
  auto const borders_host = Kokkos::create_mirror_view(m_borders);
  borders_host(0) = 0;
  std::inclusive_scan(m_counts.begin(), m_counts.end(), borders_host.data() + 1);
  Kokkos::deep_copy(m_borders, borders_host);
}

template <class Real, class Space>
void Slices<Real, Space>::make_room(std::size_t columns) {
  m_columns = columns;
  m_block_counts.assign(m_counts.size(), columns * m_largest);
  // The padding is sent along: it must hold numbers.
  std::size_t const block = columns * m_largest;
  if (m_received.extent(0) >= block) return;
  m_staged = Vector<Real, Space>("onedge::Slices::staged", block * m_counts.size());
  m_received = Vector<Real, Space>("onedge::Slices::received", block);
}

template <class Real, class Space>
Real* Slices<Real, Space>::staged_slice(std::size_t rank, std::size_t column) const {
  return m_staged.data() + (rank * m_columns + column) * m_largest;
}

template <class Real, class Space>
void Slices<Real, Space>::move(MatrixWindow<Real, Space> whole, bool to_staging) const {
  move_slices(
      m_space, m_counts.size() * m_columns,
      MoveSlices<Real, Space>{whole.data(), m_staged.data(), m_borders, m_columns, m_length, m_largest, to_staging});
}

template <class Real, class Space>
void Slices<Real, Space>::all_gather(std::vector<VectorWindow<Real, Space>> const& slices,
                                     MatrixWindow<Real, Space> whole) {
  if (m_communicator.size() == 1) {
    for (std::size_t c = 0; c < slices.size(); ++c) {
      Kokkos::deep_copy(m_space, VectorWindow<Real, Space>(whole.data() + c * m_length, m_length), slices[c]);
    }
    return;
  }
  make_room(slices.size());
  auto const rank = static_cast<std::size_t>(m_communicator.rank());
  for (std::size_t c = 0; c < slices.size(); ++c) {
    Kokkos::deep_copy(m_space, VectorWindow<Real, Space>(staged_slice(rank, c), local()), slices[c]);
  }
  in_memory_of(m_space, m_communicator).all_gather(m_staged.data(), m_block_counts);
  move(whole, false);
}

template <class Real, class Space>
void Slices<Real, Space>::reduce_scatter(MatrixWindow<Real, Space> whole,
                                         std::vector<VectorWindow<Real, Space>> const& slices) {
  if (m_communicator.size() == 1) {
    for (std::size_t c = 0; c < slices.size(); ++c) {
      Kokkos::deep_copy(m_space, slices[c], VectorWindow<Real, Space>(whole.data() + c * m_length, m_length));
    }
    return;
  }
  make_room(slices.size());
  move(whole, true);
  in_memory_of(m_space, m_communicator).reduce_scatter(m_staged.data(), m_received.data(), m_block_counts);
  for (std::size_t c = 0; c < slices.size(); ++c) {
    Kokkos::deep_copy(m_space, slices[c], VectorWindow<Real, Space>(m_received.data() + c * m_largest, local()));
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Slices<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::comm
