#pragma once
// Files that are either whole or not there: a reader, at any moment and after any kind of death of the writer, finds
// the previous complete file or the new one.
#include <onedge/hdf5/file.hpp>

#include <filesystem>
#include <functional>
#include <string>

namespace onedge::hdf5 {

/// Composes a file with `writer` in memory, writes it as .NAME.tmp beside `path`, syncs it, renames it to `path` and
/// syncs the folder. On failure the temporary is removed, what was at `path` is intact, and Error names the file and
/// the cause. One writer per path at a time; a temporary that a killed writer left is overwritten by the next.
///
/// Behind HDF5's last byte, where HDF5 does not look, stands "onedge-crc32:%08x\n": the CRC-32 of all bytes before it.
void publish(std::filesystem::path const& path, std::function<void(File&)> const& writer);

/// Why publish() could not write there as things stand (no such folder, no permission, a folder of that name, a name
/// too long): "cannot write PATH: …"; empty where nothing is in its way. Writes nothing.
std::string obstacle_to_publish(std::filesystem::path const& path);

/// Whether a file ends in such a checksum. False where there is no such file.
bool has_checksum(std::filesystem::path const& path);
/// Throws Error unless every byte of the file is as publish() wrote it: HDF5 itself notices few changes, and may fail
/// in any way at others.
void check_whole(std::filesystem::path const& path);

}  // namespace onedge::hdf5
