#include <onedge/comm/agreement.hpp>
#include <onedge/training/stop_request.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <utility>

namespace onedge::training {

namespace {

constexpr std::array signals = {SIGTERM, SIGUSR1, SIGINT};
constexpr std::array signal_names = {"SIGTERM", "SIGUSR1", "SIGINT"};

// A signal handler can reach nothing else.
std::atomic<int> noted_signal{0};
std::atomic<std::int64_t> noted_at{0};  // ms
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

constexpr std::int64_t same_request = 1000;  // ms

extern "C" void note_signal(int number) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  std::int64_t const milliseconds = std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
  if (noted_signal == 0) {
    noted_at = milliseconds;
    noted_signal = number;
  } else if (milliseconds - noted_at >= same_request) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

StopRequest::StopRequest(comm::Communicator const& communicator, std::optional<double> walltime)
    : m_communicator(communicator) {
  if (!walltime) walltime = slurm_walltime().value_or(0);
  constexpr double forever = 1e9;  // far below the end of Clock
  if (*walltime != 0) {
    auto const left = std::chrono::duration<double>(std::min(*walltime, forever));
    m_end = Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
  }
  noted_signal = 0;
  stack_t stack{};
  stack.ss_sp = m_stack.data();
  stack.ss_size = m_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  for (int const number : signals) sigaction(number, &action, nullptr);
}

StopRequest::~StopRequest() {
  for (int const number : signals) std::signal(number, SIG_DFL);
  stack_t stack{};
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, nullptr);
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

bool StopRequest::time_is_up() {
  auto const now = Clock::now();
  auto const before = std::exchange(m_last_call, now);
  if (!before) return false;  // every start makes a step, or a job that is put back into the queue would never end
  m_longest = std::max(m_longest, now - *before);
  return m_end && now + 2 * m_longest >= *m_end;
}

std::string StopRequest::reason() {
  std::array<std::int64_t, signals.size() + 2> wanted{};
  for (std::size_t i = 0; i < signals.size(); ++i) wanted[i] = noted_signal == signals[i] ? 1 : 0;
  if (m_communicator.rank() == 0) {
    wanted[signals.size()] = file_is_there() ? 1 : 0;
    wanted[signals.size() + 1] = time_is_up() ? 1 : 0;
  }
  if (m_communicator.size() > 1) m_communicator.all_reduce(wanted.data(), wanted.size());
  for (std::size_t i = 0; i < signals.size(); ++i) {
    if (wanted[i] > 0) return signal_names[i];
  }
  if (wanted[signals.size()] > 0) return "the file stop";
  return wanted[signals.size() + 1] > 0 ? "its time is nearly up" : "";
}

double StopRequest::waiting() {
  auto const now = Clock::now();
  bool const is_late = m_communicator.rank() == 0 && ((m_end && now >= *m_end) || file_is_there());
  std::int64_t wanted = noted_signal != 0 || is_late || m_wanted ? 1 : 0;
  if (m_communicator.size() > 1) m_communicator.all_reduce(&wanted, 1);
  if (wanted == 0) return -1;
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
