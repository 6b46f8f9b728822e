#pragma once
// What the files of this folder share.
#include <onedge/hdf5/file.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/io/trajectory.hpp>

namespace onedge::io {

/// All values of a dataset in the precision of the file; numbers other than float become double.
Values read_values(hdf5::Dataset const& dataset);
/// This program, and the program that a file's attributes name.
Writer this_program();
Writer read_writer(hdf5::Group const& group);
void write_writer(hdf5::Group& group);

/// The attributes train_data and test_data, where they are known.
void write_identity(hdf5::Group& group, data::Identity const& identity);
data::Identity read_identity(hdf5::Group const& group);

/// Whether the file says of itself that it is a checkpoint, damaged or not.
bool is_checkpoint(hdf5::File const& file);
/// Throws Error unless this checkpoint's checksum holds and this program knows its format.
void require_readable_checkpoint(std::filesystem::path const& path, hdf5::File const& file);

}  // namespace onedge::io
