#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/training/stop_signals.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace onedge::training {

/// Asks a run to end after the step at hand: by a signal to any of its ranks (StopSignals: noted from when the first of
/// those lived), by a file, or because its time is nearly up.
class StopRequest {
 public:
  /// `walltime`: seconds from now after which the program must have ended; nothing: as Slurm wants it (slurm_walltime).
  /// 0: no limit.
  StopRequest(comm::Communicator const& communicator, std::optional<double> walltime);

  /// The file that asks for a stop by being there; rank 0 looks once a second.
  void watch(std::filesystem::path file) { m_file = std::move(file); }

  /// To be called before every step. Why to stop now ("SIGTERM", …), the same on every rank; empty: go on, which the
  /// first call says in any case: every start makes a step, or a job that is put back into the queue would never end.
  /// Time counts as up when twice the longest step so far does not fit any more. Collective.
  std::string reason();
  /// The same at any moment, also before the first step, and whatever the time. Collective.
  std::string asked();

  /// Within a step: for how many seconds somebody has wanted a stop that cannot wait for its end (a signal, the file,
  /// the end of the time); −1: nobody. The same on every rank. Collective.
  double waiting();

 private:
  using Clock = std::chrono::steady_clock;
  bool file_is_there();
  void look_at_clock();
  bool time_is_up() const;
  std::string shared_reason(bool with_time);

  comm::Communicator const& m_communicator;
  StopSignals m_signals;
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
