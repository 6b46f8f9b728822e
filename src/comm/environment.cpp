#include <onedge/comm/device.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/kokkos.hpp>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <cstdio>
#include <cstdlib>

namespace onedge::comm {

namespace {

// Denormals make long adaptive runs slow and mean nothing to them.
void flush_denormals() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

/// Tells Kokkos which device is this rank's, before it starts.
void choose_device() {
  if (is_host_space<DefaultSpace>) return;
  auto const devices = static_cast<int>(visible_devices().size());
  if (devices == 0) {
    std::fputs("onedge: this build computes on CUDA devices, and none is visible here (nvidia-smi lists them)\n",
               stderr);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Comm local = MPI_COMM_NULL;
  int rank = 0;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
  MPI_Comm_rank(local, &rank);
  MPI_Comm_free(&local);
  bool const mapped = std::getenv("KOKKOS_MAP_DEVICE_ID_BY") != nullptr;
  if (!mapped) setenv("KOKKOS_DEVICE_ID", std::to_string(rank % devices).c_str(), 0);
}

}  // namespace

Environment::Environment(int& argc, char**& argv) {
  // With devices there is a watchdog that may end all ranks from a thread of its own, whatever another one does.
  int level = is_host_space<DefaultSpace> ? MPI_THREAD_SINGLE : MPI_THREAD_MULTIPLE;
  MPI_Init_thread(&argc, &argv, level, &level);
  choose_device();
  Kokkos::initialize(argc, argv);
  flush_denormals();
  m_world = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD);
}

void Environment::connect_devices() {
  if (is_host_space<DefaultSpace>) return;
  char const* const way = std::getenv("ONEDGE_DEVICE_COMMUNICATOR");
  m_world->set_device(make_device_communicator(*m_world, way == nullptr ? "" : way));
}

Environment::~Environment() {
  Kokkos::fence();
  m_world.reset();
  Kokkos::finalize();
  MPI_Finalize();
}

int Environment::fail(std::string const& message, int exit_code) const {
  std::string const who = m_world->size() > 1 ? "[rank " + std::to_string(m_world->rank()) + "] " : "";
  std::fprintf(stderr, "onedge: %s%s\n", who.c_str(), message.c_str());
  std::fflush(stderr);
  if (m_world->size() > 1) MPI_Abort(MPI_COMM_WORLD, exit_code);
  return exit_code;
}

std::string backend_name() { return DefaultSpace::name(); }

}  // namespace onedge::comm
