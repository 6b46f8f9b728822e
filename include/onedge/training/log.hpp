#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace onedge::training {

/// What a person reads of a run: run.log, and the terminal. On a terminal the progress is one line that renews itself;
/// elsewhere a plain line now and then. Rank 0 speaks; the others are silent.
class Log {
 public:
  /// Silent.
  Log();
  /// To the terminal, and to a file from open_file() on.
  explicit Log(bool speaks);
  ~Log();
  void open_file(std::filesystem::path const& path);

  void info(std::string const& text);
  void warn(std::string const& text);

  struct Progress {
    std::int64_t step = 0;   // steps done
    std::int64_t steps = 0;  // of the run
    double loss = 0;
    double learning_rate = 0;
  };
  /// Shows where the run is, if it is time to.
  void progress(Progress const& now);
  /// Ends the live line.
  void end_progress();

 private:
  using Clock = std::chrono::steady_clock;
  std::string text_of(Progress const& now) const;
  void clear_line();

  bool m_speaks = false;
  bool m_terminal = false;
  bool m_line_is_open = false;
  std::shared_ptr<spdlog::logger> m_file;
  Clock::time_point m_begin, m_last_plain, m_last_line;
  std::int64_t m_first_step = -1;
};

}  // namespace onedge::training
