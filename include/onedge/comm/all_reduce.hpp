#pragma once
#include <onedge/comm/in_memory_of.hpp>

namespace onedge::comm {

/// values ← their sum over ranks, for a window in the memory of Space, after the kernels that write it.
template <class Real, class Space>
void all_reduce(Space const& space, Communicator const& communicator, VectorWindow<Real, Space> values) {
  if (communicator.size() > 1) in_memory_of(space, communicator).all_reduce(values.data(), values.extent(0));
}

}  // namespace onedge::comm
