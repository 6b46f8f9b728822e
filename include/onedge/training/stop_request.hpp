#pragma once
#include <onedge/comm/communicator.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace onedge::training {

/// Asks a run to end after the step at hand: by SIGTERM, SIGUSR1 or SIGINT to any of its ranks, by a file, or because
/// its time is nearly up. While it lives such a signal is only noted; another one, a second later or more (launchers
/// forward what a rank has had already), ends the process at once. One per process.
class StopRequest {
 public:
  /// `walltime`: seconds from now after which the program must have ended; nothing: as Slurm wants it (slurm_walltime).
  /// 0: no limit.
  StopRequest(comm::Communicator const& communicator, std::optional<double> walltime);
  ~StopRequest();
  StopRequest(StopRequest const&) = delete;
  StopRequest& operator=(StopRequest const&) = delete;

  /// The file that asks for a stop by being there; rank 0 looks once a second.
  void watch(std::filesystem::path file) { m_file = std::move(file); }

  /// To be called between steps. Why to stop now ("SIGTERM", …), the same on every rank; empty: go on. Time counts as
  /// up when twice the longest step so far does not fit any more, but not before the first step. Collective.
  std::string reason();

  /// Within a step: for how many seconds somebody has wanted a stop that cannot wait for its end (a signal, the file,
  /// the end of the time); −1: nobody. The same on every rank. Collective.
  double waiting();

 private:
  using Clock = std::chrono::steady_clock;
  bool file_is_there();
  bool time_is_up();

  comm::Communicator const& m_communicator;
  // oneDNN's kernels let the stack pointer point into the heap, so that a signal's frame must go elsewhere.
  std::vector<std::byte> m_stack = std::vector<std::byte>(1 << 17);
  std::optional<Clock::time_point> m_end;  // of rank 0
  std::optional<Clock::time_point> m_last_call, m_last_look;
  Clock::duration m_longest{};  // between two calls
  std::filesystem::path m_file;
  bool m_file_was_there = false;
  std::optional<Clock::time_point> m_wanted;  // since when waiting() knows of it
};

/// Seconds up to one minute before the end of the Slurm job (SLURM_JOB_END_TIME, which jobs/slurm.sh sets); nothing
/// without one.
std::optional<double> slurm_walltime();

/// Seconds of "5400", "1:30:00" or "2-12:00:00" (days); nothing for anything else.
std::optional<double> parse_duration(std::string const& text);

}  // namespace onedge::training
