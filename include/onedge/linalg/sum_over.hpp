#pragma once
#include <onedge/core/kokkos.hpp>

#include <string>

namespace onedge::linalg {

/// result ← Σ_{i<rows, j<columns} function(i, j), in double, in a fixed order. On the host a row is an inner loop that
/// the compiler turns into vector instructions; on a device neighbouring threads take neighbouring columns.
template <class Space, class Function>
void sum_over(Space const& space, std::string const& label, std::size_t rows, std::size_t columns,
              Function const& function, Kokkos::View<double, typename Space::memory_space> result) {
  if constexpr (is_host_space<Space>) {
    Kokkos::parallel_reduce(
        label, range(space, rows),
        [=](std::size_t i, double& sum) {
          double row = 0;
          for (std::size_t j = 0; j < columns; ++j) row += function(i, j);
          sum += row;
        },
        result);
  } else {
    Kokkos::parallel_reduce(
        label, range(space, rows * columns),
        KOKKOS_LAMBDA(std::size_t index, double& sum) { sum += function(index / columns, index % columns); }, result);
  }
}

}  // namespace onedge::linalg
