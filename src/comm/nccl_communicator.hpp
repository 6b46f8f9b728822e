#pragma once
#include <onedge/comm/communicator.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <functional>
#include <memory>

#include "nccl_watchdog.hpp"

namespace onedge::comm {

/// NCCL on the memory of the current device. Calls are put in a stream and return at once. Needs no Kokkos with CUDA.
class NcclCommunicator : public Communicator {
 public:
  /// One rank per device: that of the calling thread. `host` carries what is not data, and must outlive this.
  /// Collective. seconds, abort: see NcclWatchdog.
  NcclCommunicator(Communicator const& host, cudaStream_t stream, double seconds, std::function<void()> abort);
  /// Collective: waits on the host for all ranks.
  ~NcclCommunicator() override;
  NcclCommunicator(NcclCommunicator const&) = delete;
  NcclCommunicator& operator=(NcclCommunicator const&) = delete;

  int rank() const override { return m_host.rank(); }
  int size() const override { return m_host.size(); }
  std::string name() const override;
  void all_reduce(float* values, std::size_t count) const override;
  void all_reduce(double* values, std::size_t count) const override;
  void all_reduce(std::int64_t* values, std::size_t count) const override;
  bool overlaps() const override { return true; }
  void start_all_reduce(float* values, std::size_t count) const override;
  void start_all_reduce(double* values, std::size_t count) const override;
  void finish_all_reduces() const override;
  void exchange(float const* send, std::vector<std::size_t> const& send_counts, float* receive,
                std::vector<std::size_t> const& receive_counts) const override;
  void exchange(double const* send, std::vector<std::size_t> const& send_counts, double* receive,
                std::vector<std::size_t> const& receive_counts) const override;
  void all_gather(float* values, std::vector<std::size_t> const& counts) const override;
  void all_gather(double* values, std::vector<std::size_t> const& counts) const override;
  void reduce_scatter(float const* send, float* receive, std::vector<std::size_t> const& counts) const override;
  void reduce_scatter(double const* send, double* receive, std::vector<std::size_t> const& counts) const override;
  void broadcast(void* data, std::size_t bytes, int root) const override;
  std::vector<std::string> gather(std::string const& text) const override { return m_host.gather(text); }
  void barrier() const override;

  /// "2.28.9": of the library that is loaded.
  static std::string version();

 private:
  template <class Call>
  void run(char const* what, cudaStream_t stream, Call const& call) const;
  template <class T>
  void all_reduce_in(cudaStream_t stream, T* values, std::size_t count) const;
  template <class T>
  void start_all_reduce_of(T* values, std::size_t count) const;
  /// What `later` gets from now on waits for what `earlier` has got so far.
  void order(cudaStream_t earlier, cudaStream_t later) const;
  template <class T>
  void exchange_of(T const* send, std::vector<std::size_t> const& send_counts, T* receive,
                   std::vector<std::size_t> const& receive_counts) const;
  template <class T>
  void all_gather_of(T* values, std::vector<std::size_t> const& counts) const;
  template <class T>
  void reduce_scatter_of(T const* send, T* receive, std::vector<std::size_t> const& counts) const;

  Communicator const& m_host;
  cudaStream_t m_stream;
  cudaStream_t m_side = nullptr;  // of started sums
  cudaEvent_t m_event = nullptr;
  std::unique_ptr<NcclWatchdog> m_watchdog;
  ncclComm_t m_comm = nullptr;
};

}  // namespace onedge::comm
