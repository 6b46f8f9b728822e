#include "cublas.hpp"

#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>

#include <cublas_v2.h>

#include <vector>

namespace onedge::linalg {

namespace {

void check(cublasStatus_t status, char const* call) {
  require(status == CUBLAS_STATUS_SUCCESS, "cuBLAS: ", call, " failed: ", cublasGetStatusString(status));
}

// What NVIDIA recommends for its H100; given once, so that no product allocates, and the same for every run, so that
// its bits are.
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

/// A handle for each stream that products ran in. Setting a handle's stream anew would take its workspace away.
class Handles {
 public:
  cublasHandle_t on(cudaStream_t stream) {
    for (Entry const& entry : m_entries) {
      if (entry.stream == stream) return entry.handle;
    }
    if (m_entries.empty()) Kokkos::push_finalize_hook([this] { clear(); });
    Entry entry{stream, nullptr, nullptr};
    check(cublasCreate(&entry.handle), "cublasCreate");
    check(cublasSetStream(entry.handle, stream), "cublasSetStream");
    cudaError_t const status = cudaMalloc(&entry.workspace, workspace_bytes);
    require(status == cudaSuccess, "CUDA: no memory for cuBLAS: ", cudaGetErrorString(status));
    check(cublasSetWorkspace(entry.handle, entry.workspace, workspace_bytes), "cublasSetWorkspace");
    check(cublasSetMathMode(entry.handle, m_mode), "cublasSetMathMode");
    m_entries.push_back(entry);
    return entry.handle;
  }

  void set_mode(cublasMath_t mode) {
    m_mode = mode;
    for (Entry const& entry : m_entries) check(cublasSetMathMode(entry.handle, mode), "cublasSetMathMode");
  }

 private:
  struct Entry {
    cudaStream_t stream;
    cublasHandle_t handle;
    void* workspace;
  };
  void clear() {
    for (Entry const& entry : m_entries) {
      cublasDestroy(entry.handle);
      cudaFree(entry.workspace);
    }
    m_entries.clear();
  }

  std::vector<Entry> m_entries;
  cublasMath_t m_mode = CUBLAS_DEFAULT_MATH;
};

Handles& handles() {
  static Handles the_handles;  // of the process, as the streams are
  return the_handles;
}

cublasHandle_t handle_on(cudaStream_t stream) { return handles().on(stream); }

cublasOperation_t operation(bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; }

}  // namespace

void cublas_use_tf32(bool tf32) { handles().set_mode(tf32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH); }

// Row-major c = op(a) op(b) is column-major cᵀ = op(b)ᵀ op(a)ᵀ: the operands change places.
void cublas_product(cudaStream_t stream, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, float alpha, float const* a, std::size_t lda, float const* b, std::size_t ldb,
                    float beta, float* c, std::size_t ldc) {
  check(cublasSgemm_64(handle_on(stream), operation(transpose_b), operation(transpose_a), n, m, k, &alpha, b, ldb, a,
                       lda, &beta, c, ldc),
        "cublasSgemm");
}

void cublas_product(cudaStream_t stream, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, double alpha, double const* a, std::size_t lda, double const* b, std::size_t ldb,
                    double beta, double* c, std::size_t ldc) {
  check(cublasDgemm_64(handle_on(stream), operation(transpose_b), operation(transpose_a), n, m, k, &alpha, b, ldb, a,
                       lda, &beta, c, ldc),
        "cublasDgemm");
}

void cublas_products(cudaStream_t stream, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, float alpha, float const* a, std::size_t lda, std::size_t a_step,
                     float const* b, std::size_t ldb, std::size_t b_step, float beta, float* c, std::size_t ldc,
                     std::size_t c_step) {
  auto const steps = [](std::size_t value) { return static_cast<long long>(value); };
  check(cublasSgemmStridedBatched_64(handle_on(stream), operation(transpose_b), operation(transpose_a), n, m, k, &alpha,
                                     b, ldb, steps(b_step), a, lda, steps(a_step), &beta, c, ldc, steps(c_step), count),
        "cublasSgemmStridedBatched");
}

void cublas_products(cudaStream_t stream, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, double alpha, double const* a, std::size_t lda, std::size_t a_step,
                     double const* b, std::size_t ldb, std::size_t b_step, double beta, double* c, std::size_t ldc,
                     std::size_t c_step) {
  auto const steps = [](std::size_t value) { return static_cast<long long>(value); };
  check(cublasDgemmStridedBatched_64(handle_on(stream), operation(transpose_b), operation(transpose_a), n, m, k, &alpha,
                                     b, ldb, steps(b_step), a, lda, steps(a_step), &beta, c, ldc, steps(c_step), count),
        "cublasDgemmStridedBatched");
}

}  // namespace onedge::linalg
