#pragma once
#include <onedge/core/kokkos.hpp>

#include <string>

namespace onedge::linalg {

/// work(i, begin, end) for the entries 0 … width − 1 of every item i: all of them in one call on the host, whose inner
/// loop the compiler turns into vector instructions; one each on a device, where neighbouring threads take neighbours.
template <class Space, class Work>
void for_each_run(Space const& space, std::string const& label, std::size_t items, std::size_t width,
                  Work const& work) {
  if constexpr (is_host_space<Space>) {
    Kokkos::parallel_for(label, range(space, items), [=](std::size_t i) { work(i, std::size_t{0}, width); });
  } else {
    Kokkos::parallel_for(
        label, range(space, items * width),
        KOKKOS_LAMBDA(std::size_t i) { work(i / width, i % width, i % width + 1); });
  }
}

}  // namespace onedge::linalg
