#pragma once
#include <onedge/comm/communicator.hpp>

#include <cstdint>
#include <vector>

namespace onedge::training {

/// Throws Error on every rank, naming those that differ from rank 0, unless the weights of all ranks are the same to
/// the last bit. Collective.
template <class Real>
void require_same_weights(comm::Communicator const& communicator, std::vector<Real> const& weights, std::int64_t step);

}  // namespace onedge::training
