#include <onedge/training/stop_signals.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace onedge::training {

namespace {

constexpr std::array signals = {SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP};

// A signal handler can reach nothing else.
std::atomic<int> noted_signal{0};
std::atomic<std::int64_t> noted_at{0};  // ms
std::atomic<bool> is_installed{false};
std::array<struct sigaction, signals.size()> before{};
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

StopSignals::StopSignals() : m_is_outermost(!is_installed.exchange(true)) {
  if (m_is_outermost) install();
}

StopSignals::~StopSignals() {
  if (m_is_outermost) restore();
}

void StopSignals::install() {
  noted_signal = 0;
  m_stack.resize(1 << 17);
  stack_t stack{};
  stack.ss_sp = m_stack.data();
  stack.ss_size = m_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    sigaction(signals[i], nullptr, &before[i]);
    // nohup has said that the end of a terminal is none of this program's business.
    bool const is_deaf = signals[i] == SIGHUP && before[i].sa_handler == SIG_IGN;
    if (!is_deaf) sigaction(signals[i], &action, nullptr);
  }
  // Who starts the program may hold them back until now (jobs/slurm.sh).
  sigset_t held;
  sigemptyset(&held);
  for (int const number : signals) sigaddset(&held, number);
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

void StopSignals::restore() {
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before[i], nullptr);
  stack_t stack{};
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, nullptr);
  m_is_outermost = false;
  is_installed = false;
}

std::vector<std::string> const& StopSignals::names() {
  static std::vector<std::string> const names{"SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGHUP"};
  return names;
}

int StopSignals::noted() const {
  for (std::size_t i = 0; i < signals.size(); ++i) {
    if (noted_signal == signals[i]) return static_cast<int>(i);
  }
  return -1;
}

void StopSignals::obey() {
  if (!m_is_outermost) return;
  restore();
  if (noted_signal != 0) std::raise(noted_signal);
}

}  // namespace onedge::training
