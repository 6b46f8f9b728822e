#pragma once
// Whether the values that a dataset declares are there at all: HDF5 itself gives fill values for what it does not find.
#include <onedge/hdf5/handle.hpp>

#include <cstddef>
#include <string>

namespace onedge::hdf5 {

/// Error with `label` and what is missing: the values, a filter, a source of a virtual dataset (and of that in turn), a
/// file of external values. Also where it declares more than the file can hold: a few bytes can declare any number of
/// values, which would cost memory.
void require_stored(Id dataset, std::string const& label);

/// Chunks of a dataset that were never written.
std::size_t missing_chunks(Id dataset, std::string const& label);

}  // namespace onedge::hdf5
