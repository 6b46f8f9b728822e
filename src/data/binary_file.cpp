#include "binary_file.hpp"

#include <onedge/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace onedge::data {

namespace {

constexpr std::size_t piece = std::size_t{1} << 18;
constexpr std::array<std::uint8_t, 2> gzip_magic{0x1f, 0x8b};

/// Unpacks members of a gzip file; zlib compares the checksum and the length that stand behind each.
class Inflater {
 public:
  Inflater() {
    constexpr int gzip_only = 16;
    require(inflateInit2(&m_stream, MAX_WBITS + gzip_only) == Z_OK, "zlib cannot begin");
  }
  ~Inflater() { inflateEnd(&m_stream); }
  Inflater(Inflater const&) = delete;
  Inflater& operator=(Inflater const&) = delete;

  void begin_member() { inflateReset(&m_stream); }
  /// Unpacks from the front of `input`, which it shortens, to `output`: the bytes written, or nothing where the data
  /// are damaged.
  std::optional<std::size_t> unpack(std::span<std::uint8_t>& input, std::span<std::uint8_t> output) {
    m_stream.next_in = input.data();
    m_stream.avail_in = static_cast<uInt>(input.size());
    m_stream.next_out = output.data();
    m_stream.avail_out = static_cast<uInt>(output.size());
    int const status = inflate(&m_stream, Z_NO_FLUSH);
    input = input.last(m_stream.avail_in);
    m_is_at_end = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return {};
    return output.size() - m_stream.avail_out;
  }
  /// Whether the member is at its end.
  bool is_at_end() const { return m_is_at_end; }
  char const* message() const { return m_stream.msg != nullptr ? m_stream.msg : "its compressed data are wrong"; }

 private:
  z_stream m_stream{};
  bool m_is_at_end = false;
};

}  // namespace

bool is_special(std::filesystem::path const& path) {
  std::error_code ignored;
  auto const status = std::filesystem::status(path, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

BinaryFile::BinaryFile(std::filesystem::path const& path) : m_path(path) {
  std::error_code ignored;
  require_input(!std::filesystem::is_directory(path, ignored), name(), ": is a directory, not a data file");
  require_input(!is_special(path), name(), ": is no regular file");
  errno = 0;
  m_file.open(path, std::ios::binary);
  require_input(m_file.is_open(), name(), ": cannot be opened: ", std::strerror(errno));
  std::array<std::uint8_t, 2> start{};
  m_file.read(reinterpret_cast<char*>(start.data()), start.size());
  m_is_compressed = start == gzip_magic;
}

std::span<std::uint8_t> BinaryFile::next_piece(std::vector<std::uint8_t>& buffer) {
  m_file.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
  require_input(!m_file.bad(), name(), ": cannot be read: ", std::strerror(errno));
  return {buffer.data(), static_cast<std::size_t>(m_file.gcount())};
}

void BinaryFile::unpack(Sink const& sink) {
  m_file.clear();
  m_file.seekg(0);
  Inflater inflater;
  std::vector<std::uint8_t> packed(piece), unpacked(piece);
  bool is_in_member = true, is_full = false;
  for (auto input = next_piece(packed); !input.empty(); input = next_piece(packed)) {
    while (!input.empty() || is_full) {
      if (!is_in_member && input.front() != gzip_magic[0]) return require_padding(input);
      if (!is_in_member) inflater.begin_member();
      auto const count = inflater.unpack(input, unpacked);
      require_input(count.has_value(), name(), ": is damaged: ", inflater.message());
      is_in_member = !inflater.is_at_end();
      is_full = is_in_member && *count == unpacked.size();
      if (*count > 0 && !sink({unpacked.data(), *count})) return;
    }
  }
  require_input(!is_in_member, name(), ": is truncated: its compressed data end early");
}

void BinaryFile::require_padding(std::span<std::uint8_t const> input) {
  std::vector<std::uint8_t> buffer(piece);
  for (; !input.empty(); input = next_piece(buffer)) {
    bool const is_padding = std::all_of(input.begin(), input.end(), [](std::uint8_t byte) { return byte == 0; });
    require_input(is_padding, name(), ": is damaged: its compressed data are followed by something else");
  }
}

std::size_t BinaryFile::read_plain(std::size_t offset, std::size_t count, std::uint8_t* bytes) {
  m_file.clear();
  m_file.seekg(static_cast<std::streamoff>(offset));
  m_file.read(reinterpret_cast<char*>(bytes), static_cast<std::streamsize>(count));
  require_input(!m_file.bad(), name(), ": cannot be read: ", std::strerror(errno));
  return static_cast<std::size_t>(m_file.gcount());
}

std::size_t BinaryFile::read_compressed(std::size_t offset, std::size_t count, std::uint8_t* bytes) {
  std::size_t at = 0;  // of the contents
  unpack([&](std::span<std::uint8_t const> found) {
    auto const begin = std::clamp(offset, at, at + found.size());
    auto const end = std::clamp(offset + count, at, at + found.size());
    if (begin < end) std::copy_n(found.data() + (begin - at), end - begin, bytes + (begin - offset));
    at += found.size();
    return at < offset + count;
  });
  return std::clamp(at, offset, offset + count) - offset;
}

void BinaryFile::read(std::size_t offset, std::size_t count, std::uint8_t* bytes) {
  if (count == 0) return;
  auto const found = m_is_compressed ? read_compressed(offset, count, bytes) : read_plain(offset, count, bytes);
  require_input(found == count, name(), ": is truncated: ", offset + count, " bytes are needed, found ",
                offset + found);
}

std::size_t BinaryFile::size() {
  if (!m_is_compressed) return static_cast<std::size_t>(std::filesystem::file_size(m_path));
  std::size_t size = 0;
  unpack([&](std::span<std::uint8_t const> found) {
    size += found.size();
    return true;
  });
  return size;
}

void BinaryFile::require_size(std::size_t expected, std::string const& because) {
  std::size_t const found = size();
  require_input(found == expected, name(), found < expected ? ": is truncated: " : ": is too long: ", because,
                " makes ", expected, " bytes, found ", found);
}

}  // namespace onedge::data
