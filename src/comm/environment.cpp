#include <onedge/comm/environment.hpp>
#include <onedge/core/kokkos.hpp>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <cstdio>

namespace onedge::comm {

namespace {

// Denormals make long adaptive runs slow and mean nothing to them.
void flush_denormals() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

}  // namespace

Environment::Environment(int& argc, char**& argv) {
  MPI_Init(&argc, &argv);
  Kokkos::initialize(argc, argv);
  flush_denormals();
  m_world = std::make_unique<MpiCommunicator>(MPI_COMM_WORLD);
}

Environment::~Environment() {
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
