#pragma once
// Products of floats on the matrix unit of a processor core (Intel's AMX), which multiplies 16-bit numbers.
#include <cstddef>

namespace onedge::linalg {

/// Whether this processor and its operating system have AMX for bfloat16, and oneDNN may use it too
/// (ONEDNN_MAX_CPU_ISA).
bool amx_available();

/// Whether amx_product is the faster way: matrices that fill most of the unit's tiles, and are large enough to make up
/// for their conversion.
bool amx_suits(std::size_t m, std::size_t n, std::size_t k);

/// c ← alpha · op(a) op(b) + beta · c as matmul, with errors no larger than those of products in single precision: each
/// factor is taken as a sum of three bfloat16 numbers, which have its 24 bits, and the six products of such numbers
/// that single precision can see are summed in single precision (Henry, Tang, Heinecke, "Leveraging the bfloat16
/// artificial intelligence datatype for higher-precision computations", 2019). An infinite factor gives NaN; what is
/// smaller than 1e-33 keeps fewer digits. Only where amx_available().
void amx_product(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, float alpha,
                 float const* a, std::size_t lda, float const* b, std::size_t ldb, float beta, float* c,
                 std::size_t ldc);

}  // namespace onedge::linalg
