#pragma once
// What the files of this folder share.
#include <onedge/hdf5/file.hpp>
#include <onedge/io/checkpoint.hpp>

namespace onedge::io {

/// All values of a dataset in the precision of the file; numbers other than float become double.
Values read_values(hdf5::Dataset const& dataset);
/// Whether the file says of itself that it is a checkpoint, damaged or not.
bool is_checkpoint(hdf5::File const& file);

}  // namespace onedge::io
