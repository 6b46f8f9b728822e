#pragma once
// cuBLAS behind matmul, in a stream. Needs no Kokkos with CUDA. Throws Error when the library reports a failure.
#include <cuda_runtime_api.h>

#include <cstddef>

namespace onedge::linalg {

/// Products of floats from now on: factors as they are, or rounded to TF32 (10 bits of mantissa) for tensor cores.
void cublas_use_tf32(bool tf32);

void cublas_product(cudaStream_t stream, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, float alpha, float const* a, std::size_t lda, float const* b, std::size_t ldb,
                    float beta, float* c, std::size_t ldc);
void cublas_product(cudaStream_t stream, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, double alpha, double const* a, std::size_t lda, double const* b, std::size_t ldb,
                    double beta, double* c, std::size_t ldc);

/// `count` products of matrices that lie a_step, b_step and c_step apart.
void cublas_products(cudaStream_t stream, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, float alpha, float const* a, std::size_t lda, std::size_t a_step,
                     float const* b, std::size_t ldb, std::size_t b_step, float beta, float* c, std::size_t ldc,
                     std::size_t c_step);
void cublas_products(cudaStream_t stream, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, double alpha, double const* a, std::size_t lda, std::size_t a_step,
                     double const* b, std::size_t ldb, std::size_t b_step, double beta, double* c, std::size_t ldc,
                     std::size_t c_step);

}  // namespace onedge::linalg
