#pragma once
#include <onedge/core/kokkos.hpp>

namespace onedge::linalg {

enum class Transpose { no, yes };

/// c ← alpha · op(a) op(b) + beta · c for row-major windows; op is the identity or the transpose. beta = 0 overwrites
/// c, whatever it held. One call for every matrix product of the program: oneDNN (float, host), BLAS (double, host),
/// cuBLAS (CUDA). Throws Error when the shapes do not fit or the library reports a failure.
template <class Real, class Space>
void matmul(Space const& space, Transpose transpose_a, Transpose transpose_b, Real alpha,
            MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b, Real beta,
            MatrixWindow<Real, Space> c);

/// One thread for the host's libraries: parallelism is ranks, and a fixed number of threads fixes the bits.
void use_one_thread();

}  // namespace onedge::linalg
