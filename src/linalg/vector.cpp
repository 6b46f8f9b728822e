#include <onedge/core/error.hpp>
#include <onedge/linalg/sum_over.hpp>
#include <onedge/linalg/vector.hpp>

#include <algorithm>

namespace onedge::linalg {

namespace {

// Columns that one work item sums side by side on the host.
constexpr std::size_t strip = 64;

// On devices, rows are cut into at most this many parts of at least so many rows.
constexpr std::size_t most_parts = 512, least_rows = 64;

std::size_t parts_of(std::size_t rows) { return std::max(std::size_t{1}, std::min(most_parts, rows / least_rows)); }

template <class Real, class Space, class Value>
void add_strips(Space const& space, char const* label, std::size_t rows, std::size_t columns, Value const& value,
                VectorWindow<Real, Space> sums) {
  Kokkos::parallel_for(label, range(space, (columns + strip - 1) / strip), [=](std::size_t item) {
    std::size_t const begin = item * strip;
    std::size_t const count = begin + strip <= columns ? strip : columns - begin;
    Real partial[strip] = {};
    if (count == strip) {
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < strip; ++j) partial[j] += value(i, begin + j);
    } else {
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < count; ++j) partial[j] += value(i, begin + j);
    }
    for (std::size_t j = 0; j < count; ++j) sums(begin + j) += partial[j];
  });
}

/// Neighbouring threads take neighbouring columns; each sums its column in one part of the rows, and then the parts.
template <class Real, class Space, class Value>
void add_parts(Space const& space, char const* label, std::size_t rows, std::size_t columns, Value const& value,
               VectorWindow<Real, Space> sums, VectorWindow<Real, Space> work) {
  std::size_t const parts = parts_of(rows);
  require(work.extent(0) >= parts * columns, "column sums: no room for ", parts, " parts of ", columns, " columns");
  Kokkos::parallel_for(
      label, range(space, parts * columns), KOKKOS_LAMBDA(std::size_t index) {
        std::size_t const part = index / columns, j = index % columns;
        Real sum = 0;
        for (std::size_t i = rows * part / parts; i < rows * (part + 1) / parts; ++i) sum += value(i, j);
        work(index) = sum;
      });
  Kokkos::parallel_for(
      label, range(space, columns), KOKKOS_LAMBDA(std::size_t j) {
        Real sum = 0;
        for (std::size_t part = 0; part < parts; ++part) sum += work(part * columns + j);
        sums(j) += sum;
      });
}

template <class Real, class Space, class Value>
void add_column_sums_of(Space const& space, char const* label, std::size_t rows, std::size_t columns,
                        Value const& value, VectorWindow<Real, Space> sums,
                        [[maybe_unused]] VectorWindow<Real, Space> work) {
  if constexpr (is_host_space<Space>) {
    add_strips<Real>(space, label, rows, columns, value, sums);
  } else {
    add_parts<Real>(space, label, rows, columns, value, sums, work);
  }
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

// Left factors that one pass over a chunk multiplies with the same right one, and sums of each side by side.
constexpr std::size_t most_left = 4, lanes = 8;

/// sums[n] ← Σ_i left[n][i] right[i], in double.
template <std::size_t count, class Real>
void products_with(Real const* const* left, Real const* right, std::size_t length, double* sums) {
  double partial[count][lanes] = {};
  std::size_t const whole = length - length % lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t n = 0; n < count; ++n)
      for (std::size_t l = 0; l < lanes; ++l) {
        partial[n][l] += static_cast<double>(left[n][i + l]) * static_cast<double>(right[i + l]);
      }
  for (std::size_t n = 0; n < count; ++n) {
    double sum = 0;
    for (std::size_t l = 0; l < lanes; ++l) sum += partial[n][l];
    for (std::size_t i = whole; i < length; ++i) {
      sum += static_cast<double>(left[n][i]) * static_cast<double>(right[i]);
    }
    sums[n] = sum;
  }
}

/// On the host: all pairs visit a chunk while it is in the caches, and neighbours with the same second vector do so
/// together.
template <class Real, class Pairs, class Partial>
void sum_chunks_on_host(Pairs const& pairs, std::size_t chunks, Partial const& partial) {
  std::size_t const length = pairs.front().first.extent(0);
  for (std::size_t c = 0; c < chunks; ++c) {
    std::size_t const begin = c * chunk, count = std::min(length, begin + chunk) - begin;
    for (std::size_t pair = 0; pair < pairs.size();) {
      Real const* const right = pairs[pair].second.data();
      Real const* left[most_left];
      double sums[most_left];
      std::size_t together = 0;
      for (; together < most_left && pair + together < pairs.size(); ++together) {
        if (pairs[pair + together].second.data() != right) break;
        left[together] = pairs[pair + together].first.data() + begin;
      }
      if (together < most_left) together = 1;
      together == 1 ? products_with<1>(left, right + begin, count, sums)
                    : products_with<most_left>(left, right + begin, count, sums);
      for (std::size_t n = 0; n < together; ++n) partial(pair + n, c) = sums[n];
      pair += together;
    }
  }
}

template <class Real, class Space>
void sum_chunks_on_device(Space const& space, VectorWindow<Real const, Space> a, VectorWindow<Real const, Space> b,
                          VectorWindow<double, Space> partial) {
  std::size_t const length = a.extent(0);
  using Policy = Kokkos::TeamPolicy<Space>;
  Kokkos::parallel_for(
      "onedge::InnerProducts::chunks", Policy(space, static_cast<int>(partial.extent(0)), Kokkos::AUTO),
      KOKKOS_LAMBDA(typename Policy::member_type const& team) {
        std::size_t const c = static_cast<std::size_t>(team.league_rank());
        std::size_t const begin = c * chunk;
        std::size_t const end = begin + chunk < length ? begin + chunk : length;
        double sum = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, begin, end),
            [&](std::size_t i, double& local) { local += static_cast<double>(a(i)) * static_cast<double>(b(i)); }, sum);
        if (team.team_rank() == 0) partial(c) = sum;
      });
}

/// sums(row) ← tree_sum of the row, by the threads of a team: the same additions, a level of the tree at a time.
template <class Space>
void add_in_tree(Space const& space, Matrix<double, Space> const& values, std::size_t rows,
                 Vector<double, Space> const& sums) {
  using Policy = Kokkos::TeamPolicy<Space>;
  std::size_t const count = values.extent(1);
  Kokkos::parallel_for(
      "onedge::InnerProducts::add_in_tree", Policy(space, static_cast<int>(rows), Kokkos::AUTO),
      KOKKOS_LAMBDA(typename Policy::member_type const& team) {
        double* const row = values.data() + static_cast<std::size_t>(team.league_rank()) * count;
        for (std::size_t step = 1; step < count; step *= 2) {
          std::size_t const additions = (count - step + 2 * step - 1) / (2 * step);
          Kokkos::parallel_for(Kokkos::TeamThreadRange(team, additions),
                               [&](std::size_t i) { row[2 * step * i] += row[2 * step * i + step]; });
          team.team_barrier();
        }
        if (team.team_rank() == 0) sums(team.league_rank()) = count == 0 ? 0 : row[0];
      });
}

}  // namespace

template <class Real, class Space>
void InnerProducts<Real, Space>::sum_chunks(std::vector<std::pair<Operand, Operand>> const& pairs) {
  std::size_t const chunks = (pairs.front().first.extent(0) + chunk - 1) / chunk;
  if (m_partial.extent(0) < pairs.size() || m_partial.extent(1) != chunks) {
    constexpr std::size_t usual = 8;  // pairs: a step of training has up to six
    std::size_t const rows = std::max(usual, pairs.size());
    m_partial = Matrix<double, Space>("onedge::InnerProducts::partial", rows, chunks);
    m_sums = Vector<double, Space>("onedge::InnerProducts::sums", rows);
    m_partial_host = Kokkos::create_mirror_view(m_partial);
    m_sums_host = Kokkos::create_mirror_view(m_sums);
  }
  if constexpr (is_host_space<Space>) {
    sum_chunks_on_host<Real>(pairs, chunks, m_partial);
  } else {
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      VectorWindow<double, Space> const row(m_partial.data() + pair * chunks, chunks);
      sum_chunks_on_device<Real, Space>(m_space, pairs[pair].first, pairs[pair].second, row);
    }
  }
}

template <class Real, class Space>
std::vector<double> InnerProducts<Real, Space>::chunk_sums(std::vector<std::pair<Operand, Operand>> const& pairs) {
  sum_chunks(pairs);
  m_space.fence();
  Kokkos::deep_copy(m_partial_host, m_partial);
  return {m_partial_host.data(), m_partial_host.data() + pairs.size() * m_partial.extent(1)};
}

template <class Real, class Space>
std::vector<double> InnerProducts<Real, Space>::operator()(std::vector<std::pair<Operand, Operand>> const& pairs) {
  if (pairs.empty()) return {};
  if constexpr (is_host_space<Space>) {
    auto const sums = chunk_sums(pairs);
    std::size_t const chunks = sums.size() / pairs.size();
    std::vector<double> result;
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      double const* const row = sums.data() + pair * chunks;
      result.push_back(tree_sum({row, row + chunks}));
    }
    return result;
  } else {
    sum_chunks(pairs);
    add_in_tree<Space>(m_space, m_partial, pairs.size(), m_sums);
    Kokkos::deep_copy(m_sums_host, m_sums);
    return {m_sums_host.data(), m_sums_host.data() + pairs.size()};
  }
}

template <class Real, class Space>
void add_scaled(Space const& space, VectorWindow<Real const, Space> a, Real scale, VectorWindow<Real const, Space> b,
                VectorWindow<Real, Space> result) {
  Kokkos::parallel_for(
      "onedge::add_scaled", range(space, result.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { result(i) = a(i) + scale * b(i); });
}

template <class Real, class Space>
void add_column_sums(Space const& space, MatrixWindow<Real const, Space> values, VectorWindow<Real, Space> sums,
                     VectorWindow<Real, Space> work) {
  add_column_sums_of<Real, Space>(space, "onedge::add_column_sums", values.extent(0), values.extent(1),
                                  Entry<Real, Space>{values}, sums, work);
}

template <class Real, class Space>
void add_column_products(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                         VectorWindow<Real, Space> sums, VectorWindow<Real, Space> work) {
  add_column_sums_of<Real, Space>(space, "onedge::add_column_products", a.extent(0), a.extent(1),
                                  EntryProduct<Real, Space>{a, b}, sums, work);
}

template <class Space>
std::size_t column_sum_work(std::size_t rows, std::size_t columns) {
  return is_host_space<Space> ? 0 : parts_of(rows) * columns;
}
template std::size_t column_sum_work<HostSpace>(std::size_t, std::size_t);
#if defined(KOKKOS_ENABLE_CUDA)
template std::size_t column_sum_work<DefaultSpace>(std::size_t, std::size_t);
#endif

template <class Real, class Space>
void contract_into(Space const& space, MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b,
                   Kokkos::View<double, typename Space::memory_space> result) {
  sum_over(space, "onedge::contract_into", a.extent(0), a.extent(1), EntryProductInDouble<Real, Space>{a, b}, result);
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                                \
  template class InnerProducts<Real, Space>;                                                                           \
  template void add_scaled<Real, Space>(Space const&, VectorWindow<Real const, Space>, Real,                           \
                                        VectorWindow<Real const, Space>, VectorWindow<Real, Space>);                   \
  template void add_column_sums<Real, Space>(Space const&, MatrixWindow<Real const, Space>, VectorWindow<Real, Space>, \
                                             VectorWindow<Real, Space>);                                               \
  template void add_column_products<Real, Space>(Space const&, MatrixWindow<Real const, Space>,                        \
                                                 MatrixWindow<Real const, Space>, VectorWindow<Real, Space>,           \
                                                 VectorWindow<Real, Space>);                                           \
  template void contract_into<Real, Space>(Space const&, MatrixWindow<Real const, Space>,                              \
                                           MatrixWindow<Real const, Space>,                                            \
                                           Kokkos::View<double, typename Space::memory_space>);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::linalg
