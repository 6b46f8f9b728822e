#pragma once
#include <onedge/comm/mpi_communicator.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

// What this build knows of devices; without a device backend, nothing.
namespace onedge::comm {

/// "NVIDIA H100 80GB HBM3, 79.1 GiB, compute capability 9.0" of every device that this process sees.
std::vector<std::string> visible_devices();
/// The name of the device on which this process computes; empty without one.
std::string device_name();
/// Bytes of its memory that are free.
std::size_t free_device_bytes();
/// "2.28.9"; empty where the build has no NCCL.
std::string nccl_version();

/// The communicator of device memory for the ranks of `world`, which must outlive it; nullptr where kernels run on the
/// host. `way`: "nccl"; "mpi", by an MPI that takes pointers to device memory; "host", by copies on the host; "auto"
/// (or
/// ""), the first of these that is possible. Throws InputError when it is none of these, or not possible. Collective.
std::unique_ptr<Communicator> make_device_communicator(MpiCommunicator const& world, std::string const& way);

}  // namespace onedge::comm
