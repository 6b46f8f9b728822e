#pragma once
#include <onedge/network/network.hpp>

namespace onedge::network {

/// y = x W on the last axis: x [rows, in], W [in, out], without bias. Adds the parameter NAME/kernel.
template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
            Initializer initializer);

/// The same with a kernel that exists already (a parameter used twice), whose entries are read as [in, out].
template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, Parameter const& kernel);

}  // namespace onedge::network
