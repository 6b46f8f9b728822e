#include <onedge/core/error.hpp>
#include <onedge/training/log.hpp>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace onedge::training {

namespace {

constexpr double terminal_seconds = 0.1;  // between two renewals of the live line
constexpr double plain_seconds = 10.0;    // between two plain lines

/// OpenMPI's mpirun gives its local ranks a pseudo-terminal whatever its own output is: then mpirun, the parent,
/// decides.
bool is_terminal() {
  if (isatty(STDOUT_FILENO) != 1) return false;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) return true;
  std::error_code error;
  auto const target = std::filesystem::read_symlink(concat("/proc/", getppid(), "/fd/1"), error).string();
  return !error && (target.starts_with("/dev/pts/") || target.starts_with("/dev/tty"));
}

std::string duration_text(double seconds) {
  auto const whole = std::lround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

Log::Log() = default;

Log::Log(bool speaks) : m_speaks(speaks), m_terminal(speaks && is_terminal()) {}

Log::~Log() = default;

void Log::open_file(std::filesystem::path const& path) {
  if (!m_speaks) return;
  try {
    m_file =
        std::make_shared<spdlog::logger>("onedge", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string()));
  } catch (spdlog::spdlog_ex const& error) {
    throw InputError(concat("cannot write ", path.string(), ": ", error.what()));
  }
  m_file->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
  m_file->flush_on(spdlog::level::info);
}

void Log::clear_line() {
  if (m_line_is_open) std::fputs("\r\033[K", stdout);
  m_line_is_open = false;
}

void Log::info(std::string const& text) {
  if (!m_speaks) return;
  clear_line();
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
  if (m_file) m_file->info(text);
}

void Log::warn(std::string const& text) {
  if (!m_speaks) return;
  clear_line();
  std::fflush(stdout);
  std::fprintf(stderr, "warning: %s\n", text.c_str());
  if (m_file) m_file->warn(text);
}

std::string Log::text_of(Progress const& now) const {
  std::string text =
      fmt::format("step {}/{}  loss {:.6g}  learning rate {:.4g}", now.step, now.steps, now.loss, now.learning_rate);
  std::int64_t const done = now.step - m_first_step;
  if (done > 0 && now.step < now.steps) {
    double const elapsed = std::chrono::duration<double>(Clock::now() - m_begin).count();
    text +=
        "  " + duration_text(elapsed / static_cast<double>(done) * static_cast<double>(now.steps - now.step)) + " left";
  }
  return text;
}

void Log::progress(Progress const& now) {
  if (!m_speaks) return;
  auto const time = Clock::now();
  auto const seconds_since = [&](Clock::time_point before) {
    return std::chrono::duration<double>(time - before).count();
  };
  bool const first = m_first_step < 0;
  if (first) {
    m_first_step = now.step;
    m_begin = time;
  }
  bool const plain = first || now.step == now.steps || seconds_since(m_last_plain) >= plain_seconds;
  if (plain) {
    m_last_plain = time;
    if (m_file) m_file->info(text_of(now));
    if (!m_terminal) std::printf("%s\n", text_of(now).c_str());
  }
  if (m_terminal && (plain || seconds_since(m_last_line) >= terminal_seconds)) {
    m_last_line = time;
    std::printf("\r\033[K%s", text_of(now).c_str());
    m_line_is_open = true;
  }
  std::fflush(stdout);
}

void Log::end_progress() {
  if (m_line_is_open) std::fputs("\n", stdout);
  m_line_is_open = false;
  std::fflush(stdout);
}

}  // namespace onedge::training
