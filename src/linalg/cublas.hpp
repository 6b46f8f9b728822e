#pragma once
// cuBLAS behind matmul: one handle per process, bound to the stream of the execution space at each call.
#include <onedge/core/kokkos.hpp>

namespace onedge::linalg {

void cublas_product(Kokkos::Cuda const& space, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, float alpha, float const* a, std::size_t lda, float const* b, std::size_t ldb,
                    float beta, float* c, std::size_t ldc);
void cublas_product(Kokkos::Cuda const& space, bool transpose_a, bool transpose_b, std::size_t m, std::size_t n,
                    std::size_t k, double alpha, double const* a, std::size_t lda, double const* b, std::size_t ldb,
                    double beta, double* c, std::size_t ldc);

/// `count` products of matrices that lie a_step, b_step and c_step apart.
void cublas_products(Kokkos::Cuda const& space, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, float alpha, float const* a, std::size_t lda, std::size_t a_step,
                     float const* b, std::size_t ldb, std::size_t b_step, float beta, float* c, std::size_t ldc,
                     std::size_t c_step);
void cublas_products(Kokkos::Cuda const& space, std::size_t count, bool transpose_a, bool transpose_b, std::size_t m,
                     std::size_t n, std::size_t k, double alpha, double const* a, std::size_t lda, std::size_t a_step,
                     double const* b, std::size_t ldb, std::size_t b_step, double beta, double* c, std::size_t ldc,
                     std::size_t c_step);

}  // namespace onedge::linalg
