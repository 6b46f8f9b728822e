// HDF5 never touches the disk here. When a disk is full, HDF5's own close cannot get rid of what it has not written,
// and ends in "infinite loop closing library"; bytes that we write ourselves fail once, with the reason in errno.
#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace onedge::hdf5 {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(fs::path const& path, int reason) {
  throw Error(concat("cannot write ", path.string(), ": ", std::strerror(reason)));
}

fs::path folder_of(fs::path const& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

fs::path temporary_of(fs::path const& path) { return folder_of(path) / concat(".", path.filename().string(), ".tmp"); }

/// Removes the file of that name unless told that it has become another.
class Temporary {
 public:
  explicit Temporary(fs::path path) : m_path(std::move(path)) {}
  Temporary(Temporary const&) = delete;
  Temporary& operator=(Temporary const&) = delete;
  ~Temporary() {
    if (!m_path.empty()) ::unlink(m_path.c_str());
  }
  void release() { m_path.clear(); }

 private:
  fs::path m_path;
};

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : m_descriptor(descriptor) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  ~Descriptor() {
    if (m_descriptor >= 0) ::close(m_descriptor);
  }
  int get() const { return m_descriptor; }
  /// Closes now; network file systems may report a failed write only here.
  int close() { return ::close(std::exchange(m_descriptor, -1)); }

 private:
  int m_descriptor;
};

void write_all(int descriptor, void const* bytes, std::size_t size, fs::path const& path) {
  constexpr std::size_t largest_write = 1 << 30;
  for (std::size_t done = 0; done < size;) {
    auto const* const from = static_cast<std::byte const*>(bytes) + done;
    auto const count = ::write(descriptor, from, std::min(size - done, largest_write));
    if (count < 0 && errno != EINTR) fail(path, errno);
    if (count == 0) fail(path, EIO);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
}

/// Up to `size` bytes from `offset` on; fewer at the end of the file.
std::size_t read_at(int descriptor, void* bytes, std::size_t size, std::size_t offset, fs::path const& path) {
  std::size_t done = 0;
  while (done < size) {
    auto const count =
        ::pread(descriptor, static_cast<std::byte*>(bytes) + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno != EINTR) throw Error(concat("cannot read ", path.string(), ": ", std::strerror(errno)));
    if (count == 0) break;
    if (count > 0) done += static_cast<std::size_t>(count);
  }
  return done;
}

constexpr std::string_view checksum_tag = "onedge-crc32:";
constexpr std::size_t trailer_size = checksum_tag.size() + 8 + 1;

std::string trailer_of(unsigned long checksum) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", checksum & 0xffffffffUL);
  return concat(checksum_tag, digits, "\n");
}

unsigned long add_to(unsigned long checksum, std::byte const* bytes, std::size_t size) {
  return crc32_z(checksum, reinterpret_cast<unsigned char const*>(bytes), size);
}

unsigned long checksum_of(int descriptor, std::size_t size, fs::path const& path) {
  std::vector<std::byte> buffer(std::min<std::size_t>(size, 1 << 20));
  unsigned long checksum = crc32_z(0, nullptr, 0);
  for (std::size_t done = 0; done < size;) {
    auto const count = read_at(descriptor, buffer.data(), std::min(buffer.size(), size - done), done, path);
    require(count > 0, path.string(), " became shorter while it was read");
    checksum = add_to(checksum, buffer.data(), count);
    done += count;
  }
  return checksum;
}

std::size_t size_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
}

/// The last bytes of a file, as many as a trailer has; fewer of a shorter file.
std::string end_of(int descriptor, fs::path const& path) {
  auto const size = size_of(descriptor);
  std::string text(std::min(size, trailer_size), '\0');
  text.resize(read_at(descriptor, text.data(), text.size(), size - text.size(), path));
  return text;
}

void sync_folder(fs::path const& folder, fs::path const& path) {
  Descriptor const descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(path, errno);
  bool const failed = ::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP;
  if (failed) fail(path, errno);
}

}  // namespace

std::string obstacle_to_publish(fs::path const& path) {
  struct stat status {};
  int reason = 0;
  if (::access(folder_of(path).c_str(), W_OK | X_OK) != 0 ||
      (::lstat(temporary_of(path).c_str(), &status) != 0 && errno != ENOENT)) {
    reason = errno;
  } else if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    reason = EISDIR;
  }
  return reason == 0 ? "" : concat("cannot write ", path.string(), ": ", std::strerror(reason));
}

void publish(fs::path const& path, std::function<void(File&)> const& writer) {
  auto const bytes = [&] {
    auto file = File::in_memory(path.string());
    writer(file);
    return file.image();
  }();
  auto const folder = folder_of(path);
  auto const name = temporary_of(path);
  Descriptor descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) fail(path, errno);
  Temporary temporary(name);
  write_all(descriptor.get(), bytes.data(), bytes.size(), path);
  auto const trailer = trailer_of(add_to(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
  write_all(descriptor.get(), trailer.data(), trailer.size(), path);
  if (::fsync(descriptor.get()) != 0) fail(path, errno);
  if (descriptor.close() != 0) fail(path, errno);
  if (std::rename(name.c_str(), path.c_str()) != 0) fail(path, errno);
  temporary.release();
  sync_folder(folder, path);
}

// O_NONBLOCK: so that a FIFO in a file's place keeps nobody waiting.
bool has_checksum(fs::path const& path) {
  Descriptor const descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return descriptor.get() >= 0 && end_of(descriptor.get(), path).starts_with(checksum_tag);
}

void check_whole(fs::path const& path) {
  Descriptor const descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) throw Error(concat("cannot open ", path.string(), ": ", std::strerror(errno)));
  auto const trailer = end_of(descriptor.get(), path);
  require(trailer.starts_with(checksum_tag), path.string(),
          " does not end in OnEdge's checksum: it is cut short, or of another program");
  auto const checksum = checksum_of(descriptor.get(), size_of(descriptor.get()) - trailer_size, path);
  require(trailer == trailer_of(checksum), path.string(), " is damaged: its checksum does not hold");
}

}  // namespace onedge::hdf5
