#include <onedge/comm/agreement.hpp>
#include <onedge/training/stop_request.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <regex>

namespace onedge::training {

StopRequest::StopRequest(comm::Communicator const& communicator, std::optional<double> walltime)
    : m_communicator(communicator) {
  if (!walltime) walltime = slurm_walltime().value_or(0);
  constexpr double forever = 1e9;  // far below the end of Clock
  if (*walltime != 0) {
    auto const left = std::chrono::duration<double>(std::min(*walltime, forever));
    m_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
  }
}

bool StopRequest::file_is_there() {
  auto const now = Clock::now();
  if (m_file_was_there) return true;
  if (m_file.empty() || (m_last_look && now - *m_last_look < std::chrono::seconds(1))) return false;
  m_last_look = now;
  std::error_code ignored;
  m_file_was_there = std::filesystem::exists(m_file, ignored);
  return m_file_was_there;
}

void StopRequest::look_at_clock() {
  auto const now = Clock::now();
  if (m_last_call) m_longest = std::max(m_longest, now - *m_last_call);
  m_last_call = now;
}

bool StopRequest::time_is_up() const { return m_end && Clock::now() + 2 * m_longest >= *m_end; }

std::string StopRequest::shared_reason(bool with_time) {
  auto const& names = StopSignals::names();
  std::vector<std::int64_t> wanted(names.size() + 2, 0);
  int const noted = m_signals.noted();
  if (noted >= 0) wanted[static_cast<std::size_t>(noted)] = 1;
  if (m_communicator.rank() == 0) {
    wanted[names.size()] = file_is_there() ? 1 : 0;
    wanted[names.size() + 1] = with_time && time_is_up() ? 1 : 0;
  }
  if (m_communicator.size() > 1) m_communicator.all_reduce(wanted.data(), wanted.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (wanted[i] > 0) return names[i];
  }
  if (wanted[names.size()] > 0) return "the file stop";
  return wanted[names.size() + 1] > 0 ? "its time is nearly up" : "";
}

std::string StopRequest::asked() { return shared_reason(false); }

std::string StopRequest::reason() {
  bool const is_first = !m_last_call;
  look_at_clock();
  return is_first ? "" : shared_reason(true);
}

double StopRequest::waiting() {
  auto const now = Clock::now();
  bool const is_late = comm::of_rank_0(m_communicator, m_end && now >= *m_end);
  if (!m_wanted && !is_late && asked().empty()) return -1;
  if (!m_wanted) m_wanted = now;
  return comm::of_rank_0(m_communicator, std::chrono::duration<double>(now - *m_wanted).count());
}

std::optional<double> slurm_walltime() {
  char const* const text = std::getenv("SLURM_JOB_END_TIME");
  if (text == nullptr) return {};
  char* end = nullptr;
  double const time = std::strtod(text, &end);
  if (end == text || *end != '\0') return {};
  constexpr double reserve = 60;  // for files, and for what the job does behind the run
  double const left = time - static_cast<double>(std::time(nullptr)) - reserve;
  return left > 0 ? left : 1e-3;
}

std::optional<double> parse_duration(std::string const& text) {
  static std::regex const clock(R"((?:(\d{1,6})-)?(\d{1,6}):([0-5]\d):([0-5]\d))");
  static std::regex const seconds(R"(\d+(\.\d*)?([eE][+-]?\d{1,2})?)");
  auto const number = [](std::string const& digits) { return std::strtod(digits.c_str(), nullptr); };
  if (std::regex_match(text, seconds)) return number(text);
  std::smatch parts;
  if (!std::regex_match(text, parts, clock)) return {};
  return ((number(parts[1]) * 24 + number(parts[2])) * 60 + number(parts[3])) * 60 + number(parts[4]);
}

}  // namespace onedge::training
