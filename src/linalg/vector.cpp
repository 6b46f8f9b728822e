#include <onedge/linalg/sum_over.hpp>
#include <onedge/linalg/vector.hpp>

#include <algorithm>

namespace onedge::linalg {

namespace {

// Columns that one work item sums: neighbouring ones side by side on the host, one per thread on a device.
template <class Space>
constexpr std::size_t strip = is_host_space<Space> ? 64 : 1;

template <class Real, class Space, class Value>
void add_column_sums_of(Space const& space, char const* label, std::size_t rows, std::size_t columns,
                        Value const& value, VectorWindow<Real, Space> sums) {
  constexpr std::size_t width = strip<Space>;
  Kokkos::parallel_for(
      label, range(space, (columns + width - 1) / width), KOKKOS_LAMBDA(std::size_t item) {
        std::size_t const begin = item * width;
        std::size_t const count = begin + width <= columns ? width : columns - begin;
        Real partial[width] = {};
        if (count == width) {
          for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < width; ++j) partial[j] += value(i, begin + j);
        } else {
          for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = 0; j < count; ++j) partial[j] += value(i, begin + j);
        }
        for (std::size_t j = 0; j < count; ++j) sums(begin + j) += partial[j];
      });
}

template <class Real, class Space>
struct Entry {
  MatrixWindow<Real const, Space> values;
  KOKKOS_INLINE_FUNCTION Real operator()(std::size_t i, std::size_t j) const { return values(i, j); }
};

template <class Real, class Space>
struct EntryProduct {
  MatrixWindow<Real const, Space> a, b;
  KOKKOS_INLINE_FUNCTION Real operator()(std::size_t i, std::size_t j) const { return a(i, j) * b(i, j); }
};

template <class Real, class Space>
struct EntryProductInDouble {
  MatrixWindow<Real const, Space> a, b;
  KOKKOS_INLINE_FUNCTION double operator()(std::size_t i, std::size_t j) const {
    return static_cast<double>(a(i, j)) * static_cast<double>(b(i, j));
  }
};

template <class Real, class Space>
void chunk_products(Space const& space, VectorWindow<Real const, Space> a, VectorWindow<Real const, Space> b,
                    std::size_t first_chunk, std::size_t chunks, VectorWindow<double, Space> partial) {
  std::size_t const length = a.extent(0);
  if constexpr (is_host_space<Space>) {
    for (std::size_t c = first_chunk; c < first_chunk + chunks; ++c) {
      std::size_t const end = std::min(length, (c + 1) * chunk);
      double sum = 0;
      Real const* const x = a.data();
      Real const* const y = b.data();
      for (std::size_t i = c * chunk; i < end; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      partial(c) = sum;
    }
  } else {
    using Policy = Kokkos::TeamPolicy<Space>;
    Kokkos::parallel_for(
        "onedge::InnerProducts::chunks", Policy(space, static_cast<int>(chunks), Kokkos::AUTO),
        KOKKOS_LAMBDA(typename Policy::member_type const& team) {
          std::size_t const c = first_chunk + static_cast<std::size_t>(team.league_rank());
          std::size_t const begin = c * chunk;
          std::size_t const end = begin + chunk < length ? begin + chunk : length;
          double sum = 0;
          Kokkos::parallel_reduce(
              Kokkos::TeamThreadRange(team, begin, end),
              [&](std::size_t i, double& local) { local += static_cast<double>(a(i)) * static_cast<double>(b(i)); },
              sum);
          if (team.team_rank() == 0) partial(c) = sum;
        });
  }
}

}  // namespace

template <class Real, class Space>
std::vector<double> InnerProducts<Real, Space>::chunk_sums(std::vector<std::pair<Operand, Operand>> const& pairs) {
  std::size_t const chunks = (pairs.front().first.extent(0) + chunk - 1) / chunk;
  if (m_partial.extent(0) < pairs.size() || m_partial.extent(1) != chunks) {
    m_partial = uninitialised<Matrix<double, Space>>("onedge::InnerProducts::partial", pairs.size(), chunks);
  }
  // On the host, all pairs visit a chunk while it is in cache.
  std::size_t const sweep = is_host_space<Space> ? 1 : chunks;
  for (std::size_t first = 0; first < chunks; first += sweep) {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      VectorWindow<double, Space> const row(m_partial.data() + pair * chunks, chunks);
      chunk_products<Real, Space>(m_space, pairs[pair].first, pairs[pair].second, first, sweep, row);
    }
  }
  m_space.fence();
  auto const partial_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), m_partial);
  return {partial_host.data(), partial_host.data() + pairs.size() * chunks};
}

template <class Real, class Space>
std::vector<double> InnerProducts<Real, Space>::operator()(std::vector<std::pair<Operand, Operand>> const& pairs) {
  if (pairs.empty()) return {};
  auto const sums = chunk_sums(pairs);
  std::size_t const chunks = sums.size() / pairs.size();
  std::vector<double> result;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    double const* const row = sums.data() + pair * chunks;
    result.push_back(tree_sum({row, row + chunks}));
  }
  return result;
}

template <class Real, class Space>
void add_scaled(Space const& space, VectorWindow<Real const, Space> a, Real scale, VectorWindow<Real const, Space> b,
                VectorWindow<Real, Space> result) {
  Kokkos::parallel_for(
      "onedge::add_scaled", range(space, result.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { result(i) = a(i) + scale * b(i); });
}

template <class Real, class Space>
void add_column_sums(Space const& space, MatrixWindow<Real const, Space> values, VectorWindow<Real, Space> sums) {
  add_column_sums_of<Real, Space>(space, "onedge::add_column_sums", values.extent(0), values.extent(1),
                                  Entry<Real, Space>{values}, sums);
}

template <class Real, class Space>
void add_column_products(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                         VectorWindow<Real, Space> sums) {
  add_column_sums_of<Real, Space>(space, "onedge::add_column_products", a.extent(0), a.extent(1),
                                  EntryProduct<Real, Space>{a, b}, sums);
}

template <class Real, class Space>
void contract_into(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                   Kokkos::View<double, typename Space::memory_space> result) {
  sum_over(space, "onedge::contract_into", a.extent(0), a.extent(1), EntryProductInDouble<Real, Space>{a, b}, result);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                       \
  template class InnerProducts<Real, Space>;                                                                  \
  template void add_scaled<Real, Space>(Space const&, VectorWindow<Real const, Space>, Real,                  \
                                        VectorWindow<Real const, Space>, VectorWindow<Real, Space>);          \
  template void add_column_sums<Real, Space>(Space const&, MatrixWindow<Real const, Space>,                   \
                                             VectorWindow<Real, Space>);                                      \
  template void add_column_products<Real, Space>(Space const&, MatrixWindow<Real const, Space>,               \
                                                 MatrixWindow<Real const, Space>, VectorWindow<Real, Space>); \
  template void contract_into<Real, Space>(Space const&, MatrixWindow<Real const, Space>,                     \
                                           MatrixWindow<Real const, Space>,                                   \
                                           Kokkos::View<double, typename Space::memory_space>);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::linalg
