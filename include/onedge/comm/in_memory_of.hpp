#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

namespace onedge::comm {

/// The communicator of the same ranks for buffers in the memory of Space. On the host it waits for the kernels that
/// write them; a device's takes its turn among them.
template <class Space>
Communicator const& in_memory_of(Space const& space, Communicator const& communicator) {
  if constexpr (is_host_space<Space>) {
    space.fence();
    return communicator;
  } else {
    require(communicator.device() != nullptr, "this communicator does not reach the memory of ", Space::name());
    return *communicator.device();
  }
}

}  // namespace onedge::comm
