#pragma once
#include <onedge/comm/mpi_communicator.hpp>

#include <memory>
#include <string>

namespace onedge::comm {

/// MPI and Kokkos, initialised in this order and finalised in the reverse one. One per process. Where Kokkos runs on
/// devices, ranks of one node take theirs in turn (unless KOKKOS_DEVICE_ID or --kokkos-device-id say which); without
/// any the program ends here. The end is collective, too: devices are disconnected once all ranks are there.
class Environment {
 public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(Environment const&) = delete;
  Environment& operator=(Environment const&) = delete;

  MpiCommunicator const& world() const { return *m_world; }
  /// Connects the devices of all ranks, where kernels run on devices, in the way that the environment variable
  /// ONEDGE_DEVICE_COMMUNICATOR says (make_device_communicator). Collective; takes seconds.
  void connect_devices();

  /// Ends all ranks after an exception on this one: prints "onedge: [rank r] MESSAGE" and never returns when there are
  /// other ranks; alone, it returns the exit code.
  int fail(std::string const& message, int exit_code) const;

 private:
  std::unique_ptr<MpiCommunicator> m_world;
};

/// "host (Serial)" and the like: what the default execution space is.
std::string backend_name();

}  // namespace onedge::comm
