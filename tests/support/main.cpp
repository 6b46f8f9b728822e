// GoogleTest's main for programs that run on several ranks: MPI and Kokkos around all tests, failures named by rank,
// and the same exit code on every rank.
#include <onedge/comm/device.hpp>
#include <onedge/core/kokkos.hpp>

#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace {

// MPI unloads modules when it starts and when it ends; what they leave behind cannot be told from leaks of ours. So
// nothing counts that MPI_Init allocates, and leaks are looked for before MPI_Finalize.
#if defined(__SANITIZE_ADDRESS__)
using LeaksDoNotCount = __lsan::ScopedDisabler;
void look_for_leaks() { __lsan_do_leak_check(); }
#else
struct LeaksDoNotCount {
  LeaksDoNotCount() {}  // not trivial, so that no compiler calls it unused
};
void look_for_leaks() {}
#endif

class RankReporter : public testing::EmptyTestEventListener {
  void OnTestPartResult(testing::TestPartResult const& result) override {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (result.failed()) {
      std::fprintf(stderr, "[rank %d] %s:%d: %s\n", rank, result.file_name() ? result.file_name() : "?",
                   result.line_number(), result.summary());
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  setenv("OMP_NUM_THREADS", "1", 0);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  {
    LeaksDoNotCount const scope;
    MPI_Init(&argc, &argv);
  }
  if (!onedge::is_host_space<onedge::DefaultSpace> && onedge::comm::visible_devices().empty()) {
    std::puts("SKIPPED: no device is visible");
    MPI_Finalize();
    return 77;  // ctest's SKIP_RETURN_CODE
  }
  Kokkos::initialize(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new RankReporter);
  int failed = RUN_ALL_TESTS();
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  Kokkos::finalize();
  look_for_leaks();
  MPI_Finalize();
  return failed;
}
