#include <onedge/comm/device.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

#if defined(KOKKOS_ENABLE_CUDA)
#include <cuda_runtime_api.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <optional>
#include <sstream>

#include "bridged_communicator.hpp"
#if defined(ONEDGE_NCCL)
#include "nccl_communicator.hpp"
#endif
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#endif

namespace onedge::comm {

#if defined(KOKKOS_ENABLE_CUDA)

namespace {

void check(cudaError_t status, char const* call) {
  require(status == cudaSuccess, "CUDA: ", call, " failed: ", cudaGetErrorString(status));
}

int this_device() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}

cudaDeviceProp properties_of(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return properties;
}

/// Host and bus address of this rank's device.
std::string place_of_device() {
  char host[256] = {}, bus[64] = {};
  gethostname(host, sizeof host - 1);
  check(cudaDeviceGetPCIBusId(bus, sizeof bus, this_device()), "cudaDeviceGetPCIBusId");
  return concat(host, " ", bus);
}

/// Whether MPI says that it takes pointers to device memory; nothing where it cannot be asked.
std::optional<bool> mpi_takes_device_memory() {
#if defined(MPIX_CUDA_AWARE_SUPPORT)
  return MPIX_Query_cuda_support() == 1;
#else
  return {};
#endif
}

#if defined(ONEDGE_NCCL)
double nccl_timeout() {
  char const* const text = std::getenv("ONEDGE_NCCL_TIMEOUT");
  if (text == nullptr || *text == '\0') return 50;
  char* end = nullptr;
  double const seconds = std::strtod(text, &end);
  require_input(*end == '\0' && seconds >= 0, "ONEDGE_NCCL_TIMEOUT: ", text, " is not a number of seconds");
  return seconds;
}
#endif

/// Why NCCL cannot be used; empty when it can. Collective.
std::string nccl_obstacle([[maybe_unused]] MpiCommunicator const& world) {
#if defined(ONEDGE_NCCL)
  auto places = world.gather(place_of_device());
  std::sort(places.begin(), places.end());
  auto const twice = std::adjacent_find(places.begin(), places.end());
  return twice == places.end() ? "" : concat("two ranks share the device ", *twice);
#else
  return "this build has no NCCL";
#endif
}

std::unique_ptr<Communicator> make_nccl([[maybe_unused]] MpiCommunicator const& world) {
#if defined(ONEDGE_NCCL)
  return std::make_unique<NcclCommunicator>(world, DefaultSpace().cuda_stream(), nccl_timeout(),
                                            [comm = world.handle()] { MPI_Abort(comm, 1); });
#else
  throw Error("this build has no NCCL");
#endif
}

}  // namespace

std::vector<std::string> visible_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return {};
  std::vector<std::string> result;
  for (int device = 0; device < count; ++device) {
    auto const properties = properties_of(device);
    std::ostringstream text;
    text << properties.name << ", " << std::fixed << std::setprecision(1)
         << static_cast<double>(properties.totalGlobalMem) / double(1 << 30) << " GiB, compute capability "
         << properties.major << "." << properties.minor;
    result.push_back(text.str());
  }
  return result;
}

std::string device_name() { return properties_of(this_device()).name; }

std::size_t free_device_bytes() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

std::string nccl_version() {
#if defined(ONEDGE_NCCL)
  return NcclCommunicator::version();
#else
  return "";
#endif
}

std::unique_ptr<Communicator> make_device_communicator(MpiCommunicator const& world, std::string const& way) {
  bool const any = way.empty() || way == "auto";
  require_input(any || way == "nccl" || way == "mpi" || way == "host", "ONEDGE_DEVICE_COMMUNICATOR: ", way,
                " is none of auto, nccl, mpi, host");
  std::string const obstacle = nccl_obstacle(world);
  require_input(way != "nccl" || obstacle.empty(), "ONEDGE_DEVICE_COMMUNICATOR=nccl: ", obstacle);
  if (obstacle.empty() && (any || way == "nccl")) return make_nccl(world);
  auto const direct = mpi_takes_device_memory();
  require_input(way != "mpi" || direct.value_or(true),
                "ONEDGE_DEVICE_COMMUNICATOR=mpi: this MPI takes no pointers to device memory");
  bool const uses_direct = way == "mpi" || (any && direct.value_or(false));
  return std::make_unique<BridgedCommunicator>(
      world, uses_direct ? BridgedCommunicator::Way::direct : BridgedCommunicator::Way::copies);
}

#else

std::vector<std::string> visible_devices() { return {}; }
std::string device_name() { return ""; }
std::size_t free_device_bytes() { throw Error("this build has no device backend"); }
std::string nccl_version() { return ""; }
std::unique_ptr<Communicator> make_device_communicator(MpiCommunicator const&, std::string const&) { return nullptr; }

#endif

}  // namespace onedge::comm
