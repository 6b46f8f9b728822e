#pragma once
#include <onedge/comm/communicator.hpp>

#include <mpi.h>

#include <memory>

namespace onedge::comm {

/// MPI on host memory. Duplicates the communicator that it is given and frees the duplicate. Where kernels run on a
/// device, it can be used on its memory through copies on the host, until set_device() names a better way.
class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(MPI_Comm parent);
  ~MpiCommunicator() override;
  MpiCommunicator(MpiCommunicator const&) = delete;
  MpiCommunicator& operator=(MpiCommunicator const&) = delete;

  int rank() const override { return m_rank; }
  int size() const override { return m_size; }
  std::string name() const override { return "MPI"; }
  Communicator const* device() const override { return m_device.get(); }
  void set_device(std::unique_ptr<Communicator> device) { m_device = std::move(device); }
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
  std::vector<std::string> gather(std::string const& text) const override;
  void barrier() const override;

  MPI_Comm handle() const { return m_comm; }
  /// Ranks on this node, this rank's place among them.
  int local_rank() const { return m_local_rank; }
  int local_size() const { return m_local_size; }

 private:
  MPI_Comm m_comm = MPI_COMM_NULL;
  int m_rank = 0;
  int m_size = 1;
  int m_local_rank = 0;
  int m_local_size = 1;
  std::unique_ptr<Communicator> m_device;
};

}  // namespace onedge::comm
