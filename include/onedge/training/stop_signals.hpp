#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace onedge::training {

/// Notes the signals that ask a program to end (SIGTERM, SIGUSR1, SIGUSR2, SIGINT, SIGHUP) instead of obeying them,
/// while one of these objects lives: from the first line of main, since a job may be told to end at any time. Another
/// signal, a second or more after the first (launchers forward what a process has had already), ends the process at
/// once. Objects that live within the life of another share what was noted. Signals that were blocked before come
/// through now.
class StopSignals {
 public:
  StopSignals();
  /// The outermost one brings back what signals did before.
  ~StopSignals();
  StopSignals(StopSignals const&) = delete;
  StopSignals& operator=(StopSignals const&) = delete;

  /// "SIGTERM", …: in an order in which all ranks can report what each has noted.
  static std::vector<std::string> const& names();
  /// Which of them was noted first; −1: none.
  int noted() const;
  /// Its name; empty: none.
  std::string name() const { return noted() < 0 ? "" : names()[static_cast<std::size_t>(noted())]; }
  /// For programs that need not end in order: signals do again what they did before, and one that was noted does it
  /// now.
  void obey();

 private:
  void install();
  void restore();

  bool m_is_outermost;
  // oneDNN's kernels let the stack pointer point into the heap, so that a signal's frame must go elsewhere.
  std::vector<std::byte> m_stack;
};

}  // namespace onedge::training
