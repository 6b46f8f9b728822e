#include "cublas.hpp"

#include <onedge/core/error.hpp>

#include <cublas_v2.h>

namespace onedge::linalg {

namespace {

void check(cublasStatus_t status, char const* call) {
  require(status == CUBLAS_STATUS_SUCCESS, "cuBLAS: ", call, " failed: ", cublasGetStatusString(status));
}

// Created at the first product, destroyed before Kokkos is finalised.
cublasHandle_t handle_on(Kokkos::Cuda const& space) {
  static cublasHandle_t const handle = [] {
    cublasHandle_t made = nullptr;
    check(cublasCreate(&made), "cublasCreate");
    Kokkos::push_finalize_hook([made] { cublasDestroy(made); });
    return made;
  }();
  check(cublasSetStream(handle, space.cuda_stream()), "cublasSetStream");
  return handle;
}

cublasOperation_t operation(bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; }

}  // namespace

// Row-major c = op(a) op(b) is column-major cᵀ = op(b)ᵀ op(a)ᵀ: the operands change places.
void cublas_product(Kokkos::Cuda const& space, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, float alpha, float const* a, std::size_t lda, float const* b, std::size_t ldb,
                    float beta, float* c, std::size_t ldc) {
  check(cublasSgemm_64(handle_on(space), operation(transpose_b), operation(transpose_a), n, m, k, &alpha, b, ldb, a,
                       lda, &beta, c, ldc),
        "cublasSgemm");
}

void cublas_product(Kokkos::Cuda const& space, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, double alpha, double const* a, std::size_t lda, double const* b, std::size_t ldb,
                    double beta, double* c, std::size_t ldc) {
  check(cublasDgemm_64(handle_on(space), operation(transpose_b), operation(transpose_a), n, m, k, &alpha, b, ldb, a,
                       lda, &beta, c, ldc),
        "cublasDgemm");
}

void cublas_products(Kokkos::Cuda const& space, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, float alpha, float const* a, std::size_t lda, std::size_t a_step,
                     float const* b, std::size_t ldb, std::size_t b_step, float beta, float* c, std::size_t ldc,
                     std::size_t c_step) {
  auto const steps = [](std::size_t value) { return static_cast<long long>(value); };
  check(cublasSgemmStridedBatched_64(handle_on(space), operation(transpose_b), operation(transpose_a), n, m, k, &alpha,
                                     b, ldb, steps(b_step), a, lda, steps(a_step), &beta, c, ldc, steps(c_step), count),
        "cublasSgemmStridedBatched");
}

void cublas_products(Kokkos::Cuda const& space, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, double alpha, double const* a, std::size_t lda, std::size_t a_step,
                     double const* b, std::size_t ldb, std::size_t b_step, double beta, double* c, std::size_t ldc,
                     std::size_t c_step) {
  auto const steps = [](std::size_t value) { return static_cast<long long>(value); };
  check(cublasDgemmStridedBatched_64(handle_on(space), operation(transpose_b), operation(transpose_a), n, m, k, &alpha,
                                     b, ldb, steps(b_step), a, lda, steps(a_step), &beta, c, ldc, steps(c_step), count),
        "cublasDgemmStridedBatched");
}

}  // namespace onedge::linalg
