// cuBLAS and NCCL behind our wrappers, without a Kokkos that knows CUDA. That this file links is half of the test; the
// other half needs a device: a product and an allreduce of one rank.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

#include <cstdio>
#include <vector>

#include "src/comm/nccl_communicator.hpp"
#include "src/linalg/cublas.hpp"

namespace {

using namespace onedge;

void check(cudaError_t status) { require(status == cudaSuccess, "CUDA: ", cudaGetErrorString(status)); }

/// c = a bᵀ + c for a [2, 3], b [1, 3], in a stream, then summed over one rank.
template <class Real>
void run(cudaStream_t stream, comm::Communicator const& communicator) {
  std::vector<Real> const values{1, 2, 3, 4, 5, 6, 1, 0, -1, 10, 20};  // a, b, c
  std::size_t const bytes = values.size() * sizeof(Real);
  Real* device = nullptr;
  check(cudaMalloc(reinterpret_cast<void**>(&device), bytes));
  check(cudaMemcpy(device, values.data(), bytes, cudaMemcpyHostToDevice));
  linalg::cublas_product(stream, false, true, 2, 1, 3, Real(1), device, 3, device + 6, 3, Real(1), device + 9, 1);
  linalg::cublas_products(stream, 2, false, true, 1, 1, 3, Real(1), device, 3, 3, device + 6, 3, 0, Real(1), device + 9,
                          1, 1);
  communicator.all_reduce(device + 9, 2);
  check(cudaStreamSynchronize(stream));
  std::vector<Real> result(2);
  check(cudaMemcpy(result.data(), device + 9, 2 * sizeof(Real), cudaMemcpyDeviceToHost));
  check(cudaFree(device));
  require(result[0] == 6 && result[1] == 16, "the products are ", result[0], " and ", result[1], ", not 6 and 16");
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  Kokkos::initialize(argc, argv);
  int devices = 0;
  bool const has_device = cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
  std::printf("compiled and linked with NCCL %s\n", comm::NcclCommunicator::version().c_str());
  if (has_device) {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreate(&stream));
    comm::MpiCommunicator const self(MPI_COMM_SELF);
    comm::NcclCommunicator const communicator(self, stream, 50, [] {});
    linalg::cublas_use_tf32(false);
    run<float>(stream, communicator);
    run<double>(stream, communicator);
  }
  std::puts(has_device ? "ran on a device" : "no device is visible: nothing was run");
  Kokkos::finalize();
  MPI_Finalize();
  return 0;
}
