#pragma once
// Reading of flat binary files, plain or gzip-compressed.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace onedge::data {

/// Whether there is something that is no regular file: a pipe would keep its reader waiting, a device may have no end.
bool is_special(std::filesystem::path const& path);

/// A file of bytes; .gz files are read as what they hold. All failures are InputError and name the file.
class BinaryFile {
 public:
  explicit BinaryFile(std::filesystem::path const& path);

  std::string name() const { return m_path.string(); }
  /// Bytes offset … offset+count−1 of the contents, into `bytes`. InputError when the file ends before.
  void read(std::size_t offset, std::size_t count, std::uint8_t* bytes);
  /// Throws InputError unless the contents have exactly `expected` bytes. For a compressed file this trusts the length
  /// that its last bytes state, and unpacks it all only when that disagrees (a file in several parts, or a damaged
  /// one).
  void require_size(std::size_t expected, std::string const& because);

 private:
  struct Closer {
    void operator()(void* file) const;
  };
  void rewind_to(std::size_t offset);
  std::size_t read_some(std::uint8_t* bytes, std::size_t count);
  bool is_compressed() const;
  std::size_t unpacked_size();

  std::filesystem::path m_path;
  std::unique_ptr<void, Closer> m_file;
};

}  // namespace onedge::data
