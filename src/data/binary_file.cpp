#include "binary_file.hpp"

#include <onedge/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace onedge::data {

namespace {

constexpr std::size_t piece = std::size_t{1} << 20;

gzFile as_gz(void* file) { return static_cast<gzFile>(file); }

/// The length modulo 2³² that a gzip file states in its last four bytes (RFC 1952).
std::uint32_t stated_size(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 4> bytes{};
  file.seekg(-4, std::ios::end);
  file.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  std::uint32_t size = 0;
  for (std::size_t i = 4; i-- > 0;) size = size << 8 | bytes[i];
  return size;
}

}  // namespace

bool is_special(std::filesystem::path const& path) {
  std::error_code ignored;
  auto const status = std::filesystem::status(path, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

void BinaryFile::Closer::operator()(void* file) const { gzclose(as_gz(file)); }

BinaryFile::BinaryFile(std::filesystem::path const& path) : m_path(path) {
  std::error_code ignored;
  require_input(!std::filesystem::is_directory(path, ignored), name(), ": is a directory, not a data file");
  require_input(!is_special(path), name(), ": is no regular file");
  errno = 0;
  m_file.reset(gzopen(path.c_str(), "rb"));
  require_input(m_file != nullptr, name(), ": cannot be opened: ", std::strerror(errno));
  gzbuffer(as_gz(m_file.get()), static_cast<unsigned>(piece));
}

bool BinaryFile::is_compressed() const {
  std::ifstream file(m_path, std::ios::binary);
  std::array<char, 2> magic{};
  file.read(magic.data(), magic.size());
  return magic[0] == '\x1f' && magic[1] == '\x8b';
}

void BinaryFile::rewind_to(std::size_t offset) {
  auto const position = gzseek(as_gz(m_file.get()), static_cast<z_off_t>(offset), SEEK_SET);
  require_input(position == static_cast<z_off_t>(offset), name(), ": byte ", offset, " cannot be reached");
}

std::size_t BinaryFile::read_some(std::uint8_t* bytes, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    auto const length = gzread(as_gz(m_file.get()), bytes + done, static_cast<unsigned>(std::min(piece, count - done)));
    int code = Z_OK;
    char const* const reason = gzerror(as_gz(m_file.get()), &code);
    require_input(code != Z_BUF_ERROR, name(), ": is truncated: its compressed data end early");
    require_input(length >= 0, name(), ": is damaged: ", code == Z_ERRNO ? std::strerror(errno) : reason);
    if (length == 0) break;
    done += static_cast<std::size_t>(length);
  }
  return done;
}

void BinaryFile::read(std::size_t offset, std::size_t count, std::uint8_t* bytes) {
  if (count == 0) return;
  rewind_to(offset);
  auto const found = read_some(bytes, count);
  require_input(found == count, name(), ": is truncated: ", offset + count, " bytes are needed, found ",
                offset + found);
}

std::size_t BinaryFile::unpacked_size() {
  rewind_to(0);
  std::vector<std::uint8_t> buffer(piece);
  std::size_t size = 0;
  for (std::size_t found = piece; found == piece; size += found) found = read_some(buffer.data(), piece);
  return size;
}

void BinaryFile::require_size(std::size_t expected, std::string const& because) {
  std::size_t found = expected;
  if (!is_compressed()) {
    found = static_cast<std::size_t>(std::filesystem::file_size(m_path));
  } else if (stated_size(m_path) != static_cast<std::uint32_t>(expected)) {
    found = unpacked_size();
  }
  require_input(found == expected, name(), found < expected ? ": is truncated: " : ": is too long: ", because,
                " makes ", expected, " bytes, found ", found);
}

}  // namespace onedge::data
