#include "nccl_communicator.hpp"

#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

#include <algorithm>

namespace onedge::comm {

namespace {

void check(ncclResult_t result, char const* call) {
  require(result == ncclSuccess, "NCCL: ", call, " failed: ", ncclGetErrorString(result), ": ",
          ncclGetLastError(nullptr));
}

void check(cudaError_t status, char const* call) {
  require(status == cudaSuccess, "CUDA: ", call, " failed: ", cudaGetErrorString(status));
}

template <class T>
constexpr ncclDataType_t type_of = ncclInt8;
template <>
constexpr ncclDataType_t type_of<float> = ncclFloat32;
template <>
constexpr ncclDataType_t type_of<double> = ncclFloat64;
template <>
constexpr ncclDataType_t type_of<std::int64_t> = ncclInt64;

bool all_equal(std::vector<std::size_t> const& counts) {
  return std::adjacent_find(counts.begin(), counts.end(), std::not_equal_to<>()) == counts.end();
}

/// Several calls as one: none waits for another.
template <class Calls>
void grouped(Calls const& calls) {
  check(ncclGroupStart(), "ncclGroupStart");
  calls();
  check(ncclGroupEnd(), "ncclGroupEnd");
}

}  // namespace

NcclCommunicator::NcclCommunicator(Communicator const& host, cudaStream_t stream, double seconds,
                                   std::function<void()> abort)
    : m_host(host), m_stream(stream) {
  ncclUniqueId id{};
  if (host.rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  host.broadcast(&id, sizeof id, 0);
  std::string const who = host.size() > 1 ? concat("[rank ", host.rank(), "] ") : "";
  m_watchdog = std::make_unique<NcclWatchdog>(who, seconds, std::move(abort));
  m_watchdog->begin("ncclCommInitRank");
  check(ncclCommInitRank(&m_comm, host.size(), id, host.rank()), "ncclCommInitRank");
  m_watchdog->end(nullptr);
  m_watchdog->watch(m_comm);
  check(cudaStreamCreateWithFlags(&m_side, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  check(cudaEventCreateWithFlags(&m_event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
}

// No error is thrown here: after one, ranks may be out of step, and the process is about to end. ncclCommDestroy waits
// for the other ranks of this node, and one of them may still write files, however long that takes: all meet on the
// host first, where waiting is no sign of a dead rank, and nothing is watched from there on.
NcclCommunicator::~NcclCommunicator() {
  m_watchdog->begin("the end of its stream");
  cudaStreamSynchronize(m_stream);
  cudaStreamSynchronize(m_side);
  m_watchdog.reset();
  try {
    m_host.barrier();
    ncclCommDestroy(m_comm);
  } catch (Error const&) {  // without the others it could not be destroyed
  }
  cudaEventDestroy(m_event);
  cudaStreamDestroy(m_side);
}

std::string NcclCommunicator::version() {
  int number = 0;
  check(ncclGetVersion(&number), "ncclGetVersion");
  return concat(number / 10000, ".", number / 100 % 100, ".", number % 100);
}

std::string NcclCommunicator::name() const { return "NCCL " + version(); }

template <class Call>
void NcclCommunicator::run(char const* what, cudaStream_t stream, Call const& call) const {
  ScopedRegion const region("Communicator", what);
  m_watchdog->begin(what);
  call();
  m_watchdog->end(stream);
}

template <class T>
void NcclCommunicator::all_reduce_in(cudaStream_t stream, T* values, std::size_t count) const {
  run("all_reduce", stream,
      [&] { check(ncclAllReduce(values, values, count, type_of<T>, ncclSum, m_comm, stream), "ncclAllReduce"); });
}

void NcclCommunicator::all_reduce(float* values, std::size_t count) const { all_reduce_in(m_stream, values, count); }
void NcclCommunicator::all_reduce(double* values, std::size_t count) const { all_reduce_in(m_stream, values, count); }
void NcclCommunicator::all_reduce(std::int64_t* values, std::size_t count) const {
  all_reduce_in(m_stream, values, count);
}

void NcclCommunicator::order(cudaStream_t earlier, cudaStream_t later) const {
  check(cudaEventRecord(m_event, earlier), "cudaEventRecord");
  check(cudaStreamWaitEvent(later, m_event, 0), "cudaStreamWaitEvent");
}

template <class T>
void NcclCommunicator::start_all_reduce_of(T* values, std::size_t count) const {
  order(m_stream, m_side);
  all_reduce_in(m_side, values, count);
}

void NcclCommunicator::start_all_reduce(float* values, std::size_t count) const { start_all_reduce_of(values, count); }
void NcclCommunicator::start_all_reduce(double* values, std::size_t count) const { start_all_reduce_of(values, count); }
void NcclCommunicator::finish_all_reduces() const { order(m_side, m_stream); }

template <class T>
void NcclCommunicator::exchange_of(T const* send, std::vector<std::size_t> const& send_counts, T* receive,
                                   std::vector<std::size_t> const& receive_counts) const {
  run("exchange", m_stream, [&] {
    grouped([&] {
      for (int peer = 0; peer < size(); ++peer) {
        std::size_t const out = send_counts[static_cast<std::size_t>(peer)];
        std::size_t const in = receive_counts[static_cast<std::size_t>(peer)];
        if (out > 0) check(ncclSend(send, out, type_of<T>, peer, m_comm, m_stream), "ncclSend");
        if (in > 0) check(ncclRecv(receive, in, type_of<T>, peer, m_comm, m_stream), "ncclRecv");
        send += out;
        receive += in;
      }
    });
  });
}

template <class T>
void NcclCommunicator::all_gather_of(T* values, std::vector<std::size_t> const& counts) const {
  run("all_gather", m_stream, [&] {
    if (all_equal(counts)) {
      T const* const mine = values + counts[0] * static_cast<std::size_t>(rank());
      check(ncclAllGather(mine, values, counts[0], type_of<T>, m_comm, m_stream), "ncclAllGather");
      return;
    }
    grouped([&] {
      T* part = values;
      for (int root = 0; root < size(); part += counts[static_cast<std::size_t>(root)], ++root) {
        std::size_t const count = counts[static_cast<std::size_t>(root)];
        check(ncclBroadcast(part, part, count, type_of<T>, root, m_comm, m_stream), "ncclBroadcast");
      }
    });
  });
}

template <class T>
void NcclCommunicator::reduce_scatter_of(T const* send, T* receive, std::vector<std::size_t> const& counts) const {
  run("reduce_scatter", m_stream, [&] {
    if (all_equal(counts)) {
      check(ncclReduceScatter(send, receive, counts[0], type_of<T>, ncclSum, m_comm, m_stream), "ncclReduceScatter");
      return;
    }
    grouped([&] {
      T const* part = send;
      for (int root = 0; root < size(); part += counts[static_cast<std::size_t>(root)], ++root) {
        std::size_t const count = counts[static_cast<std::size_t>(root)];
        check(ncclReduce(part, receive, count, type_of<T>, ncclSum, root, m_comm, m_stream), "ncclReduce");
      }
    });
  });
}

void NcclCommunicator::exchange(float const* send, std::vector<std::size_t> const& send_counts, float* receive,
                                std::vector<std::size_t> const& receive_counts) const {
  exchange_of(send, send_counts, receive, receive_counts);
}
void NcclCommunicator::exchange(double const* send, std::vector<std::size_t> const& send_counts, double* receive,
                                std::vector<std::size_t> const& receive_counts) const {
  exchange_of(send, send_counts, receive, receive_counts);
}

void NcclCommunicator::all_gather(float* values, std::vector<std::size_t> const& counts) const {
  all_gather_of(values, counts);
}
void NcclCommunicator::all_gather(double* values, std::vector<std::size_t> const& counts) const {
  all_gather_of(values, counts);
}

void NcclCommunicator::reduce_scatter(float const* send, float* receive, std::vector<std::size_t> const& counts) const {
  reduce_scatter_of(send, receive, counts);
}
void NcclCommunicator::reduce_scatter(double const* send, double* receive,
                                      std::vector<std::size_t> const& counts) const {
  reduce_scatter_of(send, receive, counts);
}

void NcclCommunicator::broadcast(void* data, std::size_t bytes, int root) const {
  run("broadcast", m_stream,
      [&] { check(ncclBroadcast(data, data, bytes, ncclInt8, root, m_comm, m_stream), "ncclBroadcast"); });
}

void NcclCommunicator::barrier() const {
  check(cudaStreamSynchronize(m_stream), "cudaStreamSynchronize");
  m_host.barrier();
}

}  // namespace onedge::comm
