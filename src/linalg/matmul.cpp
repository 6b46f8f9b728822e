// The products themselves are other people's: this file only chooses the library by precision and memory space, and
// translates row-major shapes.
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>

#include <cblas.h>
#include <dnnl.h>
#include <omp.h>

#include <algorithm>

#if defined(KOKKOS_ENABLE_CUDA)
#include "cublas.hpp"
#endif
#if defined(ONEDGE_AMX)
#include "amx.hpp"
#endif

namespace onedge::linalg {

namespace {

struct Shape {
  std::size_t m, n, k, lda, ldb, ldc;
};

// Depth of one call to oneDNN, whose sgemm loses up to a quarter of its speed on deeper products with a wide transposed
// left factor: the weight gradients of wide layers.
std::size_t slice_depth(Transpose ta, Shape const& s) {
  constexpr std::size_t wide = 1024, shallow = 128;
  return ta == Transpose::yes && s.m >= wide ? shallow : std::max(s.k, std::size_t{1});
}

void host_product(Transpose ta, Transpose tb, Shape const& s, float alpha, float const* a, float const* b, float beta,
                  float* c) {
#if defined(ONEDGE_AMX)
  if (has_matrix_unit() && amx_suits(s.m, s.n, s.k)) {
    return amx_product(ta == Transpose::yes, tb == Transpose::yes, s.m, s.n, s.k, alpha, a, s.lda, b, s.ldb, beta, c,
                       s.ldc);
  }
#endif
  auto const letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
  std::size_t const step = slice_depth(ta, s);
  for (std::size_t first = 0; first == 0 || first < s.k; first += step) {
    auto const status =
        dnnl_sgemm(letter(ta), letter(tb), s.m, s.n, std::min(step, s.k - first), alpha,
                   a + first * (ta == Transpose::yes ? s.lda : 1), s.lda,
                   b + first * (tb == Transpose::yes ? 1 : s.ldb), s.ldb, first == 0 ? beta : 1.0F, c, s.ldc);
    require(status == dnnl_success, "oneDNN: sgemm failed with status ", static_cast<int>(status), " for m = ", s.m,
            ", n = ", s.n, ", k = ", s.k);
  }
}

void host_product(Transpose ta, Transpose tb, Shape const& s, double alpha, double const* a, double const* b,
                  double beta, double* c) {
  auto const letter = [](Transpose t) { return t == Transpose::yes ? CblasTrans : CblasNoTrans; };
  auto const integer = [](std::size_t value) { return static_cast<blasint>(value); };
  cblas_dgemm(CblasRowMajor, letter(ta), letter(tb), integer(s.m), integer(s.n), integer(s.k), alpha, a, integer(s.lda),
              b, integer(s.ldb), beta, c, integer(s.ldc));
}

}  // namespace

template <class Real, class Space>
void matmul(Space const& space, Transpose transpose_a, Transpose transpose_b, Real alpha,
            MatrixWindow<Real const, Space> a, MatrixWindow<Real const, Space> b, Real beta,
            MatrixWindow<Real, Space> c) {
  bool const ta = transpose_a == Transpose::yes;
  bool const tb = transpose_b == Transpose::yes;
  std::size_t const k = ta ? a.extent(0) : a.extent(1);
  Shape const shape{c.extent(0), c.extent(1), k, a.extent(1), b.extent(1), c.extent(1)};
  require(shape.m == (ta ? a.extent(1) : a.extent(0)) && shape.n == (tb ? b.extent(0) : b.extent(1)) &&
              k == (tb ? b.extent(1) : b.extent(0)),
          "matmul: shapes do not fit: a ", a.extent(0), "x", a.extent(1), (ta ? "ᵀ" : ""), ", b ", b.extent(0), "x",
          b.extent(1), (tb ? "ᵀ" : ""), ", c ", c.extent(0), "x", c.extent(1));
  if (shape.m == 0 || shape.n == 0) return;
  if constexpr (is_host_space<Space>) {
    space.fence();
    host_product(transpose_a, transpose_b, shape, alpha, a.data(), b.data(), beta, c.data());
  } else {
#if defined(KOKKOS_ENABLE_CUDA)
    cublas_product(space.cuda_stream(), ta, tb, shape.m, shape.n, shape.k, alpha, a.data(), shape.lda, b.data(),
                   shape.ldb, beta, c.data(), shape.ldc);
#endif
  }
}

template <class Real, class Space>
void matmul_batch(Space const& space, std::size_t outer, std::size_t inner, Transpose transpose_a,
                  Transpose transpose_b, Real alpha, MatrixBatch<Real const> const& a, MatrixBatch<Real const> const& b,
                  Real beta, MatrixBatch<Real> const& c) {
  bool const ta = transpose_a == Transpose::yes;
  bool const tb = transpose_b == Transpose::yes;
  Shape const shape{c.rows, c.columns, ta ? a.rows : a.columns, a.row_stride, b.row_stride, c.row_stride};
  require(c.rows == (ta ? a.columns : a.rows) && c.columns == (tb ? b.rows : b.columns) &&
              shape.k == (tb ? b.columns : b.rows),
          "matmul_batch: shapes do not fit: a ", a.rows, "x", a.columns, (ta ? "ᵀ" : ""), ", b ", b.rows, "x",
          b.columns, (tb ? "ᵀ" : ""), ", c ", c.rows, "x", c.columns);
  if (shape.m == 0 || shape.n == 0 || outer == 0) return;
  if constexpr (is_host_space<Space>) {
    space.fence();
    for (std::size_t i = 0; i < outer; ++i) {
      for (std::size_t j = 0; j < inner; ++j) {
        auto const at = [&](auto const& batch) { return batch.data + i * batch.outer_stride + j * batch.inner_stride; };
        host_product(transpose_a, transpose_b, shape, alpha, at(a), at(b), beta, at(c));
      }
    }
  } else {
#if defined(KOKKOS_ENABLE_CUDA)
    for (std::size_t j = 0; j < inner; ++j) {
      cublas_products(space.cuda_stream(), outer, ta, tb, shape.m, shape.n, shape.k, alpha, a.data + j * a.inner_stride,
                      shape.lda, a.outer_stride, b.data + j * b.inner_stride, shape.ldb, b.outer_stride, beta,
                      c.data + j * c.inner_stride, shape.ldc, c.outer_stride);
    }
#endif
  }
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                         \
  template void matmul_batch<Real, Space>(Space const&, std::size_t, std::size_t, Transpose, Transpose, Real,   \
                                          MatrixBatch<Real const> const&, MatrixBatch<Real const> const&, Real, \
                                          MatrixBatch<Real> const&);                                            \
  template void matmul<Real, Space>(Space const&, Transpose, Transpose, Real, MatrixWindow<Real const, Space>,  \
                                    MatrixWindow<Real const, Space>, Real, MatrixWindow<Real, Space>);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

bool has_matrix_unit() {
#if defined(ONEDGE_AMX)
  return amx_available();
#else
  return false;
#endif
}

void use_tf32([[maybe_unused]] bool tf32) {
#if defined(KOKKOS_ENABLE_CUDA)
  cublas_use_tf32(tf32);
#endif
}

void use_one_thread() {
  omp_set_num_threads(1);
#if defined(OPENBLAS_VERSION)
  openblas_set_num_threads(1);
#endif
}

}  // namespace onedge::linalg
