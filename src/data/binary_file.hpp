#pragma once
// Reading of flat binary files, plain or gzip-compressed.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace onedge::data {

/// Whether there is something that is no regular file: a pipe would keep its reader waiting, a device may have no end.
bool is_special(std::filesystem::path const& path);

/// A file of bytes; what gzip has compressed is read as what it holds, whatever the file is called. All failures are
/// InputError and name the file.
class BinaryFile {
 public:
  explicit BinaryFile(std::filesystem::path const& path);

  std::string name() const { return m_path.string(); }
  /// Bytes offset … offset+count−1 of the contents, into `bytes`. InputError when the file ends before.
  void read(std::size_t offset, std::size_t count, std::uint8_t* bytes);
  /// Length of the contents. A compressed file is unpacked to its end for it, and its checksums are compared.
  std::size_t size();
  /// Throws InputError unless the contents have exactly `expected` bytes.
  void require_size(std::size_t expected, std::string const& because);

 private:
  /// Takes a piece of the contents; whether it wants more.
  using Sink = std::function<bool(std::span<std::uint8_t const>)>;

  std::size_t read_plain(std::size_t offset, std::size_t count, std::uint8_t* bytes);
  std::size_t read_compressed(std::size_t offset, std::size_t count, std::uint8_t* bytes);
  /// Unpacks a compressed file (RFC 1952: members one behind another; zeros may follow) from its begin.
  void unpack(Sink const& sink);
  /// InputError unless what is left of the file, from `input` on, is zeros.
  void require_padding(std::span<std::uint8_t const> input);
  std::span<std::uint8_t> next_piece(std::vector<std::uint8_t>& buffer);

  std::filesystem::path m_path;
  std::ifstream m_file;
  bool m_is_compressed = false;
};

}  // namespace onedge::data
