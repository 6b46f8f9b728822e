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

}  // namespace onedge::linalg
