#include "nccl_watchdog.hpp"

#include <onedge/core/error.hpp>

#include "last_resort.hpp"

namespace onedge::comm {

NcclWatchdog::NcclWatchdog(std::string who, double seconds, std::function<void()> abort)
    : m_who(std::move(who)), m_limit(seconds), m_abort(std::move(abort)) {
  auto const check = [](cudaError_t status) {
    require(status == cudaSuccess, "CUDA: no event for NCCL's watchdog: ", cudaGetErrorString(status));
  };
  check(cudaGetDevice(&m_device));
  check(cudaEventCreateWithFlags(&m_last, cudaEventDisableTiming));
  m_thread = std::thread([this] { run(); });
}

NcclWatchdog::~NcclWatchdog() {
  {
    std::lock_guard const lock(m_mutex);
    m_stops = true;
  }
  m_wake.notify_one();
  m_thread.join();
  cudaEventDestroy(m_last);
}

void NcclWatchdog::watch(ncclComm_t comm) {
  std::lock_guard const lock(m_mutex);
  m_comm = comm;
}

void NcclWatchdog::begin(char const* call) {
  std::lock_guard const lock(m_mutex);
  m_call = call;
  m_calling = true;
  m_since = Clock::now();
}

void NcclWatchdog::end(cudaStream_t stream) {
  std::lock_guard const lock(m_mutex);
  m_calling = false;
  m_since = Clock::now();
  if (stream == nullptr) return;
  m_enqueued = true;
  auto const status = cudaEventRecord(m_last, stream);
  require(status == cudaSuccess, "CUDA: cudaEventRecord after ", m_call, " failed: ", cudaGetErrorString(status));
}

std::string NcclWatchdog::verdict() {
  if (m_comm != nullptr) {
    ncclResult_t error = ncclSuccess;
    ncclResult_t const asked = ncclCommGetAsyncError(m_comm, &error);
    if (asked != ncclSuccess) error = asked;
    if (error != ncclSuccess && error != ncclInProgress) {
      return concat("NCCL: asynchronous error: ", ncclGetErrorString(error), ": ", ncclGetLastError(m_comm));
    }
  }
  if (m_enqueued && !m_calling) {
    cudaError_t const status = cudaEventQuery(m_last);
    if (status == cudaSuccess) m_enqueued = false;
    if (status != cudaSuccess && status != cudaErrorNotReady) {
      return concat("CUDA: error in the stream of ", m_call, ": ", cudaGetErrorString(status));
    }
  }
  bool const waits = m_calling || m_enqueued;
  if (!waits || m_limit.count() == 0 || Clock::now() - m_since < m_limit) return "";
  return concat("NCCL: ", m_call, " has made no progress for ", m_limit.count(),
                " s: another rank is gone or stuck (ONEDGE_NCCL_TIMEOUT, in seconds, says when to give up)");
}

void NcclWatchdog::run() {
  cudaSetDevice(m_device);
  std::unique_lock lock(m_mutex);
  while (!m_stops) {
    std::string const reason = verdict();
    if (!reason.empty()) end_process(m_who + reason, m_abort);
    m_wake.wait_for(lock, std::chrono::milliseconds(500));
  }
}

}  // namespace onedge::comm
