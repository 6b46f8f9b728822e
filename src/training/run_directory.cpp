#include <onedge/core/error.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/training/run_directory.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

namespace onedge::training {

namespace fs = std::filesystem;

namespace {

constexpr char const* lock_name = ".lock";
constexpr char const* log_name = "run.log";
constexpr char const* stop_name = "stop";

/// What hdf5::publish leaves when it is killed.
bool is_half_written(std::string const& name) {
  bool const ours = name.starts_with(".trajectory.h5") || name.starts_with(".checkpoint-");
  return ours && name.ends_with(".h5.tmp");
}

void remove_half_written(fs::path const& path) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (auto const& entry : fs::directory_iterator(path, ignored)) {
    if (is_half_written(entry.path().filename().string())) files.push_back(entry.path());
  }
  for (auto const& file : files) fs::remove(file, ignored);
}

std::string whoami() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  char time[64] = {};
  std::time_t const now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(time, sizeof time, "%F %T", &local);
  return concat("process ", getpid(), " on ", host, " since ", time);
}

std::string read_holder(int file) {
  char text[512] = {};
  auto const length = pread(file, text, sizeof text - 1, 0);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : "an unknown process";
}

/// Throws InputError where it cannot be told: a name too long, a loop of links, a folder that is closed to us.
bool is_there(fs::path const& path) {
  std::error_code error;
  bool const found = fs::exists(path, error);
  require_input(!error, path.string(), ": ", error.message());
  return found;
}

fs::path existing_parent(fs::path path) {
  path = fs::absolute(path);
  while (!is_there(path) && path.has_parent_path() && path != path.parent_path()) path = path.parent_path();
  return path;
}

}  // namespace

RunDirectory::Contents RunDirectory::inspect(fs::path const& path) {
  if (!is_there(path)) return Contents::absent;
  std::error_code error;
  require_input(fs::is_directory(path, error), path.string(), " is not a directory");
  fs::directory_iterator const entries(path, error);
  require_input(!error, "cannot read the directory ", path.string(), ": ", error.message());
  bool empty = true, only_log = is_there(path / lock_name);
  for (auto const& entry : entries) {
    if (entry.path().filename() == lock_name) continue;
    empty = false;
    std::string const name = entry.path().filename().string();
    if (name != log_name && name != stop_name && !is_half_written(name)) only_log = false;
  }
  if (empty) return Contents::empty;
  // Nothing but lock and log: a run that was killed before its first trajectory.
  bool const ours = only_log || is_there(path / "trajectory.h5") || !io::list_checkpoints(path).empty();
  return ours ? Contents::run : Contents::foreign;
}

void RunDirectory::check(fs::path const& path, bool fresh) {
  Contents const contents = inspect(path);
  require_input(contents != Contents::foreign, "the directory ", path.string(),
                " is not empty and holds no run of OnEdge: name another one (output.directory or -d)");
  require_input(!fresh || contents != Contents::run, "--fresh: the directory ", path.string(), " already holds a run");
  fs::path const target = contents == Contents::absent ? existing_parent(path) : path;
  int const reason = access(target.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
  require_input(reason == 0, "cannot write in ", target.string(), ": ", std::strerror(reason));
}

RunDirectory::RunDirectory(fs::path path, bool fresh, double patience) : m_path(std::move(path)) {
  check(m_path, fresh);
  std::error_code error;
  fs::create_directories(m_path, error);
  require_input(!error, "cannot make the directory ", m_path.string(), ": ", error.message());
  fs::path const lock = m_path / lock_name;
  m_lock = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  require_input(m_lock >= 0, "cannot write ", lock.string(), ": ", std::strerror(errno));
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(patience);
  while (flock(m_lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == ENOSYS || errno == ENOLCK || errno == EOPNOTSUPP) {
      m_is_locked = false;
      break;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      std::string const holder = read_holder(m_lock);
      close(m_lock);
      throw InputError(concat("the run directory ", m_path.string(), " is in use by ", holder));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  std::string const me = whoami();
  if (ftruncate(m_lock, 0) != 0 || pwrite(m_lock, me.data(), me.size(), 0) < 0) {
    throw Error(concat("cannot write ", lock.string(), ": ", std::strerror(errno)));
  }
  // Somebody else may have used it while we waited.
  check(m_path, fresh);
  remove_half_written(m_path);
}

fs::path RunDirectory::set_aside(fs::path const& file) const {
  std::string const name = file.filename().string();
  auto target = m_path / ("damaged-" + name);
  for (int number = 2; fs::exists(target); ++number) target = m_path / concat("damaged-", number, "-", name);
  std::error_code error;
  fs::rename(file, target, error);
  require(!error, "cannot rename ", file.string(), ": ", error.message());
  return target;
}

RunDirectory::~RunDirectory() {
  if (m_lock >= 0) close(m_lock);
}

}  // namespace onedge::training
