#include "bridged_communicator.hpp"

#include <numeric>

namespace onedge::comm {

namespace {

using DeviceBytes = VectorWindow<char, DefaultSpace>;
using HostBytes = Kokkos::View<char*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

template <class T>
DeviceBytes bytes_of(T* values, std::size_t count) {
  return DeviceBytes(reinterpret_cast<char*>(const_cast<std::remove_const_t<T>*>(values)), count * sizeof(T));
}

std::size_t sum(std::vector<std::size_t> const& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace

template <class T>
T* BridgedCommunicator::lend(T* values, std::size_t count, Buffer& buffer, bool with_contents) const {
  if (m_way == Way::direct) {
    DefaultSpace().fence();
    return values;
  }
  auto const source = bytes_of(values, count);
  if (buffer.extent(0) < source.extent(0)) {
    buffer = uninitialised<Buffer>("onedge::BridgedCommunicator::buffer", source.extent(0));
  }
  if (with_contents) Kokkos::deep_copy(HostBytes(buffer.data(), source.extent(0)), source);
  return reinterpret_cast<T*>(buffer.data());
}

template <class T>
void BridgedCommunicator::give_back(T* values, std::size_t count, Buffer const& buffer) const {
  if (m_way == Way::direct) return;
  auto const target = bytes_of(values, count);
  Kokkos::deep_copy(target, HostBytes(buffer.data(), target.extent(0)));
}

template <class T>
void BridgedCommunicator::all_reduce_of(T* values, std::size_t count) const {
  m_host.all_reduce(lend(values, count, m_send, true), count);
  give_back(values, count, m_send);
}

template <class T>
void BridgedCommunicator::exchange_of(T const* send, std::vector<std::size_t> const& send_counts, T* receive,
                                      std::vector<std::size_t> const& receive_counts) const {
  T const* const lent = lend(send, sum(send_counts), m_send, true);
  m_host.exchange(lent, send_counts, lend(receive, sum(receive_counts), m_receive, false), receive_counts);
  give_back(receive, sum(receive_counts), m_receive);
}

template <class T>
void BridgedCommunicator::all_gather_of(T* values, std::vector<std::size_t> const& counts) const {
  m_host.all_gather(lend(values, sum(counts), m_send, true), counts);
  give_back(values, sum(counts), m_send);
}

template <class T>
void BridgedCommunicator::reduce_scatter_of(T const* send, T* receive, std::vector<std::size_t> const& counts) const {
  std::size_t const mine = counts[static_cast<std::size_t>(rank())];
  T const* const lent = lend(send, sum(counts), m_send, true);
  m_host.reduce_scatter(lent, lend(receive, mine, m_receive, false), counts);
  give_back(receive, mine, m_receive);
}

void BridgedCommunicator::broadcast(void* data, std::size_t bytes, int root) const {
  auto* const values = static_cast<char*>(data);
  m_host.broadcast(lend(values, bytes, m_send, true), bytes, root);
  give_back(values, bytes, m_send);
}

void BridgedCommunicator::all_reduce(float* values, std::size_t count) const { all_reduce_of(values, count); }
void BridgedCommunicator::all_reduce(double* values, std::size_t count) const { all_reduce_of(values, count); }
void BridgedCommunicator::all_reduce(std::int64_t* values, std::size_t count) const { all_reduce_of(values, count); }

void BridgedCommunicator::exchange(float const* send, std::vector<std::size_t> const& send_counts, float* receive,
                                   std::vector<std::size_t> const& receive_counts) const {
  exchange_of(send, send_counts, receive, receive_counts);
}
void BridgedCommunicator::exchange(double const* send, std::vector<std::size_t> const& send_counts, double* receive,
                                   std::vector<std::size_t> const& receive_counts) const {
  exchange_of(send, send_counts, receive, receive_counts);
}

void BridgedCommunicator::all_gather(float* values, std::vector<std::size_t> const& counts) const {
  all_gather_of(values, counts);
}
void BridgedCommunicator::all_gather(double* values, std::vector<std::size_t> const& counts) const {
  all_gather_of(values, counts);
}

void BridgedCommunicator::reduce_scatter(float const* send, float* receive,
                                         std::vector<std::size_t> const& counts) const {
  reduce_scatter_of(send, receive, counts);
}
void BridgedCommunicator::reduce_scatter(double const* send, double* receive,
                                         std::vector<std::size_t> const& counts) const {
  reduce_scatter_of(send, receive, counts);
}

}  // namespace onedge::comm
