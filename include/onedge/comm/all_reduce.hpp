#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/kokkos.hpp>

namespace onedge::comm {

/// values ← their sum over ranks, for a window in the memory of Space. Waits for the kernels that write it.
template <class Real, class Space>
void all_reduce(Space const& space, Communicator const& communicator, VectorWindow<Real, Space> values) {
  space.fence();
  if (communicator.size() == 1) return;
  if constexpr (is_host_space<Space>) {
    communicator.all_reduce(values.data(), values.extent(0));
  } else {
    auto const values_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
    communicator.all_reduce(values_host.data(), values_host.extent(0));
    Kokkos::deep_copy(values, values_host);
  }
}

}  // namespace onedge::comm
