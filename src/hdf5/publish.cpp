// HDF5 never touches the disk here. When a disk is full, HDF5's own close cannot get rid of what it has not written,
// and ends in "infinite loop closing library"; bytes that we write ourselves fail once, with the reason in errno.
#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace onedge::hdf5 {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(fs::path const& path, int reason) {
  throw Error(concat("cannot write ", path.string(), ": ", std::strerror(reason)));
}

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

void write_all(int descriptor, std::vector<std::byte> const& bytes, fs::path const& path) {
  constexpr std::size_t largest_write = 1 << 30;
  for (std::size_t done = 0; done < bytes.size();) {
    auto const count = ::write(descriptor, bytes.data() + done, std::min(bytes.size() - done, largest_write));
    if (count < 0 && errno != EINTR) fail(path, errno);
    if (count == 0) fail(path, EIO);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
}

void sync_folder(fs::path const& folder, fs::path const& path) {
  Descriptor const descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) fail(path, errno);
  bool const failed = ::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP;
  if (failed) fail(path, errno);
}

}  // namespace

void publish(fs::path const& path, std::function<void(File&)> const& writer) {
  auto const bytes = [&] {
    auto file = File::in_memory(path.string());
    writer(file);
    return file.image();
  }();
  auto const folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  auto const name = folder / concat(".", path.filename().string(), ".tmp");
  Descriptor descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) fail(path, errno);
  Temporary temporary(name);
  write_all(descriptor.get(), bytes, path);
  if (::fsync(descriptor.get()) != 0) fail(path, errno);
  if (descriptor.close() != 0) fail(path, errno);
  if (std::rename(name.c_str(), path.c_str()) != 0) fail(path, errno);
  temporary.release();
  sync_folder(folder, path);
}

}  // namespace onedge::hdf5
