#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

#include <algorithm>
#include <limits>

#include "bridged_communicator.hpp"

namespace onedge::comm {

namespace {

// MPI counts are int: long vectors go in pieces.
constexpr std::size_t largest_count = std::size_t{1} << 30;

void check(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(concat("MPI: ", call, " failed: ", std::string(text, length)));
}

template <class T>
void all_reduce_pieces(MPI_Comm comm, T* values, std::size_t count, MPI_Datatype type) {
  ScopedRegion const region("Communicator", "all_reduce");
  for (std::size_t first = 0; first < count; first += largest_count) {
    auto const piece = static_cast<int>(std::min(largest_count, count - first));
    check(MPI_Allreduce(MPI_IN_PLACE, values + first, piece, type, MPI_SUM, comm), "MPI_Allreduce");
  }
}

struct Counts {
  std::vector<int> count, offset;
};

Counts to_int(std::vector<std::size_t> const& counts) {
  Counts result;
  std::size_t offset = 0;
  for (std::size_t const count : counts) {
    require(offset + count <= std::numeric_limits<int>::max(), "MPI: a vector of more than 2^31 − 1 elements");
    result.count.push_back(static_cast<int>(count));
    result.offset.push_back(static_cast<int>(offset));
    offset += count;
  }
  return result;
}

template <class T>
void exchange_as(MPI_Comm comm, T const* send, std::vector<std::size_t> const& send_counts, T* receive,
                 std::vector<std::size_t> const& receive_counts, MPI_Datatype type) {
  ScopedRegion const region("Communicator", "exchange");
  Counts const s = to_int(send_counts), r = to_int(receive_counts);
  check(
      MPI_Alltoallv(send, s.count.data(), s.offset.data(), type, receive, r.count.data(), r.offset.data(), type, comm),
      "MPI_Alltoallv");
}

template <class T>
void all_gather_as(MPI_Comm comm, T* values, std::vector<std::size_t> const& counts, MPI_Datatype type) {
  ScopedRegion const region("Communicator", "all_gather");
  Counts const c = to_int(counts);
  check(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, c.count.data(), c.offset.data(), type, comm),
        "MPI_Allgatherv");
}

template <class T>
void reduce_scatter_as(MPI_Comm comm, T const* send, T* receive, std::vector<std::size_t> const& counts,
                       MPI_Datatype type) {
  ScopedRegion const region("Communicator", "reduce_scatter");
  Counts const c = to_int(counts);
  check(MPI_Reduce_scatter(send, receive, c.count.data(), type, MPI_SUM, comm), "MPI_Reduce_scatter");
}

}  // namespace

MpiCommunicator::MpiCommunicator(MPI_Comm parent) {
  check(MPI_Comm_dup(parent, &m_comm), "MPI_Comm_dup");
  MPI_Comm_set_errhandler(m_comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(m_comm, &m_rank);
  MPI_Comm_size(m_comm, &m_size);
  MPI_Comm local = MPI_COMM_NULL;
  check(MPI_Comm_split_type(m_comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local), "MPI_Comm_split_type");
  MPI_Comm_rank(local, &m_local_rank);
  MPI_Comm_size(local, &m_local_size);
  MPI_Comm_free(&local);
  if (!is_host_space<DefaultSpace>)
    m_device = std::make_unique<BridgedCommunicator>(*this, BridgedCommunicator::Way::copies);
}

MpiCommunicator::~MpiCommunicator() {
  m_device.reset();
  MPI_Comm_free(&m_comm);
}

void MpiCommunicator::all_reduce(float* values, std::size_t count) const {
  all_reduce_pieces(m_comm, values, count, MPI_FLOAT);
}
void MpiCommunicator::all_reduce(double* values, std::size_t count) const {
  all_reduce_pieces(m_comm, values, count, MPI_DOUBLE);
}
void MpiCommunicator::all_reduce(std::int64_t* values, std::size_t count) const {
  all_reduce_pieces(m_comm, values, count, MPI_INT64_T);
}

void MpiCommunicator::exchange(float const* send, std::vector<std::size_t> const& send_counts, float* receive,
                               std::vector<std::size_t> const& receive_counts) const {
  exchange_as(m_comm, send, send_counts, receive, receive_counts, MPI_FLOAT);
}
void MpiCommunicator::exchange(double const* send, std::vector<std::size_t> const& send_counts, double* receive,
                               std::vector<std::size_t> const& receive_counts) const {
  exchange_as(m_comm, send, send_counts, receive, receive_counts, MPI_DOUBLE);
}

void MpiCommunicator::all_gather(float* values, std::vector<std::size_t> const& counts) const {
  all_gather_as(m_comm, values, counts, MPI_FLOAT);
}
void MpiCommunicator::all_gather(double* values, std::vector<std::size_t> const& counts) const {
  all_gather_as(m_comm, values, counts, MPI_DOUBLE);
}

void MpiCommunicator::reduce_scatter(float const* send, float* receive, std::vector<std::size_t> const& counts) const {
  reduce_scatter_as(m_comm, send, receive, counts, MPI_FLOAT);
}
void MpiCommunicator::reduce_scatter(double const* send, double* receive,
                                     std::vector<std::size_t> const& counts) const {
  reduce_scatter_as(m_comm, send, receive, counts, MPI_DOUBLE);
}

void MpiCommunicator::broadcast(void* data, std::size_t bytes, int root) const {
  ScopedRegion const region("Communicator", "broadcast");
  auto* const begin = static_cast<char*>(data);
  for (std::size_t first = 0; first < bytes; first += largest_count) {
    auto const piece = static_cast<int>(std::min(largest_count, bytes - first));
    check(MPI_Bcast(begin + first, piece, MPI_BYTE, root, m_comm), "MPI_Bcast");
  }
}

std::vector<std::string> MpiCommunicator::gather(std::string const& text) const {
  ScopedRegion const region("Communicator", "gather");
  int const length = static_cast<int>(text.size());
  std::vector<int> lengths(m_size), offsets(m_size, 0);
  check(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, m_comm), "MPI_Allgather");
  for (int r = 1; r < m_size; ++r) offsets[r] = offsets[r - 1] + lengths[r - 1];
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), ' ');
  check(MPI_Allgatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, m_comm),
        "MPI_Allgatherv");
  std::vector<std::string> result;
  for (int r = 0; r < m_size; ++r) result.push_back(all.substr(offsets[r], lengths[r]));
  return result;
}

void MpiCommunicator::barrier() const {
  ScopedRegion const region("Communicator", "barrier");
  check(MPI_Barrier(m_comm), "MPI_Barrier");
}

}  // namespace onedge::comm
