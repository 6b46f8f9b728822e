#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/kokkos.hpp>

namespace onedge::comm {

/// The memory of the default execution space through a communicator of the host: by copies, or, where the host's
/// library takes such pointers itself (GPU-aware MPI), directly.
class BridgedCommunicator : public Communicator {
 public:
  enum class Way { copies, direct };
  /// `host` must outlive the bridge.
  BridgedCommunicator(Communicator const& host, Way way) : m_host(host), m_way(way) {}

  int rank() const override { return m_host.rank(); }
  int size() const override { return m_host.size(); }
  std::string name() const override {
    return m_host.name() + (m_way == Way::copies ? " through host memory" : " on device memory");
  }
  void all_reduce(float* values, std::size_t count) const override;
  void all_reduce(double* values, std::size_t count) const override;
  void all_reduce(std::int64_t* values, std::size_t count) const override;
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
  void barrier() const override { m_host.barrier(); }

 private:
  using Buffer = Kokkos::View<char*, Kokkos::HostSpace>;
  /// A pointer that the host's communicator can use in place of `values`, with their contents or without.
  template <class T>
  T* lend(T* values, std::size_t count, Buffer& buffer, bool with_contents) const;
  /// The contents of what was lent, back to `values`.
  template <class T>
  void give_back(T* values, std::size_t count, Buffer const& buffer) const;

  template <class T>
  void all_reduce_of(T* values, std::size_t count) const;
  template <class T>
  void exchange_of(T const* send, std::vector<std::size_t> const& send_counts, T* receive,
                   std::vector<std::size_t> const& receive_counts) const;
  template <class T>
  void all_gather_of(T* values, std::vector<std::size_t> const& counts) const;
  template <class T>
  void reduce_scatter_of(T const* send, T* receive, std::vector<std::size_t> const& counts) const;

  Communicator const& m_host;
  Way m_way;
  mutable Buffer m_send, m_receive;  // grown on demand, kept
};

}  // namespace onedge::comm
