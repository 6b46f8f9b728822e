#pragma once
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace onedge::comm {

/// Ends the process, with a message, when NCCL reports an asynchronous error, or when nothing has come of its calls for
/// `seconds` (0: no limit): a dead or stuck rank leaves all others waiting, on the host or in a stream. A thread of its
/// own looks twice a second; `abort` is called, in yet another one, to end the other ranks as well before this process
/// ends, within ten seconds.
class NcclWatchdog {
 public:
  NcclWatchdog(std::string who, double seconds, std::function<void()> abort);
  ~NcclWatchdog();
  NcclWatchdog(NcclWatchdog const&) = delete;
  NcclWatchdog& operator=(NcclWatchdog const&) = delete;

  void watch(ncclComm_t comm);
  /// A call into NCCL begins on the host; it has returned, and its work is in the stream.
  void begin(char const* call);
  void end(cudaStream_t stream);

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  /// Why the process must end; empty as long as it need not.
  std::string verdict();

  std::string m_who;
  std::chrono::duration<double> m_limit;
  std::function<void()> m_abort;
  int m_device = 0;
  cudaEvent_t m_last = nullptr;  // after everything that was enqueued
  std::mutex m_mutex;
  std::condition_variable m_wake;
  bool m_stops = false;
  ncclComm_t m_comm = nullptr;
  char const* m_call = "";
  bool m_calling = false;
  bool m_enqueued = false;
  Clock::time_point m_since;
  std::thread m_thread;
};

}  // namespace onedge::comm
