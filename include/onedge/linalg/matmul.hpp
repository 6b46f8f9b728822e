#pragma once
#include <onedge/core/kokkos.hpp>

#include <string>

namespace onedge::linalg {

enum class Transpose { no, yes };

/// c ← alpha · op(a) op(b) + beta · c for row-major windows; op is the identity or the transpose. beta = 0 overwrites
/// c, whatever it held. One call for every matrix product of the program: oneDNN (float, host; large products on the
/// processor's matrix unit where it has one), BLAS (double, host), cuBLAS (CUDA). Throws Error when the shapes do not
/// fit or the library reports a failure.
template <class Real, class Space>
void matmul(Space const& space, Transpose transpose_a, Transpose transpose_b, Real alpha,
            MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b, Real beta,
            MatrixWindow<Real, Space> c);

/// Matrices at equal distances inside one array: matrix (i, j) begins at data + i · outer_stride + j · inner_stride,
/// and its rows, `columns` long, lie row_stride apart.
template <class T>
struct MatrixBatch {
  T* data;
  std::size_t rows, columns, row_stride, inner_stride, outer_stride;
};

/// The same for every matrix (i, j) of three batches, i < outer, j < inner.
template <class Real, class Space>
void matmul_batch(Space const& space, std::size_t outer, std::size_t inner, Transpose transpose_a,
                  Transpose transpose_b, Real alpha, MatrixBatch<Real const> const& a, MatrixBatch<Real const> const& b,
                  Real beta, MatrixBatch<Real> const& c);

/// Whether large products of floats on the host go to the processor's matrix unit (Intel's AMX), in full single
/// precision all the same, in other bits than elsewhere. The environment variable ONEDNN_MAX_CPU_ISA=AVX512_CORE turns
/// it off.
bool has_matrix_unit();

/// What computes products on this host and with which instructions, on which their bits depend: the processor, oneDNN
/// and OpenBLAS. "AMD EPYC; oneDNN 2.6.3 AVX2; OpenBLAS 0.3.21 Zen"; without commas.
std::string host_arithmetic();

/// Products of floats on devices from now on: factors as they are, or rounded to TF32 (10 bits of mantissa), for tensor
/// cores. Changes nothing on the host.
void use_tf32(bool tf32);

/// One thread for the host's libraries: parallelism is ranks, and a fixed number of threads fixes the bits.
void use_one_thread();

}  // namespace onedge::linalg
