#include <onedge/core/error.hpp>
#include <onedge/spectrum/spectral_density.hpp>

#include <Teuchos_LAPACK.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace onedge::spectrum {

namespace {

/// The tridiagonal matrix of a Lanczos process.
struct Tridiagonal {
  std::vector<double> diagonal, off_diagonal;
};

std::vector<int> first(int count) {
  std::vector<int> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

/// Lanczos from the first column of `basis`, which it normalises and fills up; ends early in an invariant subspace.
template <class Real, class Space>
Tridiagonal lanczos(Operator<Real, Space> const& a, ShardedVectors<Real, Space>& basis) {
  Tridiagonal t;
  auto v = basis.select({0});
  v.scale({1 / std::sqrt(v.dots(v)[0])});
  double scale = 0;
  for (int j = 0; j < basis.columns(); ++j) {
    ShardedVectors<Real, Space> next(basis.pool(), 1);
    a.apply(basis.select({j}), next);
    t.diagonal.push_back(next.dots(basis.select({j}))[0]);
    require(std::isfinite(t.diagonal.back()), "the spectral density met a value that is not finite");
    for (int sweep = 0; sweep < 2; ++sweep) {
      auto const known = basis.select(first(j + 1));
      next.multiply_add(-1, known, next.inner_products(known), 1);
    }
    double const norm = std::sqrt(next.dots(next)[0]);
    scale = std::max({scale, std::abs(t.diagonal.back()), norm});
    if (j + 1 == basis.columns() || norm <= 10 * std::numeric_limits<Real>::epsilon() * scale) break;
    t.off_diagonal.push_back(norm);
    basis.select({j + 1}).combine(1 / norm, next, 0, next);
  }
  return t;
}

/// Appends its eigenvalues and the squared first components of its eigenvectors, padded to `steps`.
void append_quadrature(Tridiagonal t, std::size_t steps, SpectralDensity& density) {
  std::size_t const n = t.diagonal.size();
  std::vector<double> vectors(n * n), work(std::max<std::size_t>(1, 2 * n));
  t.off_diagonal.resize(n);
  int info = 0;
  Teuchos::LAPACK<int, double>().STEQR('I', static_cast<int>(n), t.diagonal.data(), t.off_diagonal.data(),
                                       vectors.data(), static_cast<int>(n), work.data(), &info);
  require(info == 0, "LAPACK's steqr returned ", info);
  for (std::size_t i = 0; i < steps; ++i) {
    bool const is_node = i < n;
    density.nodes.push_back(is_node ? t.diagonal[i] : t.diagonal[n - 1]);
    density.weights.push_back(is_node ? vectors[i * n] * vectors[i * n] : 0);
  }
}

}  // namespace

template <class Real, class Space>
SpectralDensity spectral_density(Operator<Real, Space> const& a, std::shared_ptr<VectorPool<Real, Space>> const& pool,
                                 DensityOptions const& options) {
  std::size_t const steps = std::min(options.steps, pool->layout().length());
  SpectralDensity density{options.probes, steps, {}, {}};
  ShardedVectors<Real, Space> basis(pool, static_cast<int>(steps));
  for (std::size_t probe = 0; probe < options.probes; ++probe) {
    basis.select({0}).randomise_signs(options.seed, probe);
    append_quadrature(lanczos(a, basis), steps, density);
  }
  return density;
}

#define ONEDGE_INSTANTIATE(Real, Space)                   \
  template SpectralDensity spectral_density<Real, Space>( \
      Operator<Real, Space> const&, std::shared_ptr<VectorPool<Real, Space>> const&, DensityOptions const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
