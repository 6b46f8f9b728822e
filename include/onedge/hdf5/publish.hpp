#pragma once
// Files that are either whole or not there: a reader, at any moment and after any kind of death of the writer, finds
// the previous complete file or the new one.
#include <onedge/hdf5/file.hpp>

#include <filesystem>
#include <functional>

namespace onedge::hdf5 {

/// Composes a file with `writer` in memory, writes it as .NAME.tmp beside `path`, syncs it, renames it to `path` and
/// syncs the folder. On failure the temporary is removed, what was at `path` is intact, and Error names the file and
/// the cause. One writer per path at a time; a temporary that a killed writer left is overwritten by the next.
void publish(std::filesystem::path const& path, std::function<void(File&)> const& writer);

}  // namespace onedge::hdf5
