#pragma once
// Row-wise kernels, written once. A function gets a worker for row i, which goes through the entries of the row: one
// after another on the host, where compilers turn its loops into vector instructions; on a device, the threads of a
// warp side by side. Sums are in a fixed order.
#include <onedge/core/kokkos.hpp>

#include <string>

namespace onedge::network {

/// A row of one thread.
struct SerialRow {
  template <class Work>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::size_t count, Work const& work) const {
    for (std::size_t j = 0; j < count; ++j) work(j);
  }
  /// Σ_j value(j); T: a number, or a Taylor scalar.
  template <class T, class Value>
  KOKKOS_FORCEINLINE_FUNCTION T sum(std::size_t count, Value const& value) const {
    T sum{};
    for (std::size_t j = 0; j < count; ++j) sum = sum + value(j);
    return sum;
  }
  /// The largest value(j), count > 0.
  template <class Real, class Value>
  KOKKOS_FORCEINLINE_FUNCTION Real largest(std::size_t count, Value const& value) const {
    Real largest = value(0);
    for (std::size_t j = 1; j < count; ++j) largest = value(j) > largest ? value(j) : largest;
    return largest;
  }
  /// The first j for which holds(j); 0 where there is none.
  template <class Predicate>
  KOKKOS_FORCEINLINE_FUNCTION std::size_t find(std::size_t count, Predicate const& holds) const {
    for (std::size_t j = 0; j < count; ++j) {
      if (holds(j)) return j;
    }
    return 0;
  }
};

/// Threads of a warp that work on one row, and rows that one team works on.
inline constexpr int row_lanes = 32, rows_per_team = 8;

/// A row of the vector lanes of a team's thread. All of them get the results.
template <class Member>
struct LanesRow {
  Member const& member;

  template <class Work>
  KOKKOS_INLINE_FUNCTION void each(std::size_t count, Work const& work) const {
    Kokkos::parallel_for(Kokkos::ThreadVectorRange(member, count), [&](std::size_t j) { work(j); });
  }
  template <class T, class Value>
  KOKKOS_INLINE_FUNCTION T sum(std::size_t count, Value const& value) const {
    T part{};  // of this lane
    each(count, [&](std::size_t j) { part = part + value(j); });
    if constexpr (requires { T::order; }) {
      for (int k = 0; k <= T::order; ++k) part.c[k] = over_lanes(part.c[k]);
      return part;
    } else {
      return over_lanes(part);
    }
  }
  template <class Real, class Value>
  KOKKOS_INLINE_FUNCTION Real largest(std::size_t count, Value const& value) const {
    Real result = value(0);
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(member, count),
        [&](std::size_t j, Real& largest) { largest = value(j) > largest ? value(j) : largest; },
        Kokkos::Max<Real>(result));
    return result;
  }
  template <class Predicate>
  KOKKOS_INLINE_FUNCTION std::size_t find(std::size_t count, Predicate const& holds) const {
    std::size_t result = count;
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(member, count),
        [&](std::size_t j, std::size_t& first) { first = holds(j) && j < first ? j : first; },
        Kokkos::Min<std::size_t>(result));
    return result < count ? result : 0;
  }

 private:
  template <class Real>
  KOKKOS_INLINE_FUNCTION Real over_lanes(Real part) const {
    Real sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(member, row_lanes), [&](int, Real& all) { all += part; }, sum);
    return sum;
  }
};

template <class Space>
Kokkos::TeamPolicy<Space> row_policy(Space const& space, std::size_t rows) {
  return {space, static_cast<int>((rows + rows_per_team - 1) / rows_per_team), rows_per_team, row_lanes};
}

/// work(worker, i) for rows 0 … rows − 1.
template <class Space, class Work>
void for_each_row(Space const& space, std::string const& label, std::size_t rows, Work const& work) {
  if constexpr (is_host_space<Space>) {
    Kokkos::parallel_for(label, range(space, rows), [=](std::size_t i) { work(SerialRow(), i); });
  } else {
    using Member = typename Kokkos::TeamPolicy<Space>::member_type;
    Kokkos::parallel_for(
        label, row_policy(space, rows), KOKKOS_LAMBDA(Member const& member) {
          std::size_t const i = static_cast<std::size_t>(member.league_rank()) * rows_per_team + member.team_rank();
          if (i < rows) work(LanesRow<Member>{member}, i);
        });
  }
}

/// result ← Σ_i value(worker, i), in double.
template <class Space, class Value>
void sum_over_rows(Space const& space, std::string const& label, std::size_t rows, Value const& value,
                   Kokkos::View<double, typename Space::memory_space> result) {
  if constexpr (is_host_space<Space>) {
    Kokkos::parallel_reduce(
        label, range(space, rows), [=](std::size_t i, double& sum) { sum += value(SerialRow(), i); }, result);
  } else {
    using Member = typename Kokkos::TeamPolicy<Space>::member_type;
    Kokkos::parallel_reduce(
        label, row_policy(space, rows),
        KOKKOS_LAMBDA(Member const& member, double& sum) {
          std::size_t const i = static_cast<std::size_t>(member.league_rank()) * rows_per_team + member.team_rank();
          if (i >= rows) return;
          double const row = value(LanesRow<Member>{member}, i);
          Kokkos::single(Kokkos::PerThread(member), [&] { sum += row; });
        },
        result);
  }
}

}  // namespace onedge::network
