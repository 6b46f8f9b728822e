#pragma once
#include <onedge/spectrum/operator.hpp>

#include <cstdint>
#include <vector>

namespace onedge::spectrum {

/// Quadrature of the spectral density of A, φ(x) = (1/n) Σ δ(x − λ_i): for a random vector v of signs, normalised,
/// Lanczos' Ritz values are nodes and the squared first components of their eigenvectors weights of the density that v
/// sees, whose mean over v is φ (stochastic Lanczos quadrature: Golub and Welsch 1969; Lin, Saad, Yang 2016; Ghorbani,
/// Krishnan, Xiao 2019).
struct SpectralDensity {
  std::size_t probes = 0;
  std::size_t steps = 0;
  std::vector<double> nodes;    ///< [probes, steps], ascending within a probe
  std::vector<double> weights;  ///< [probes, steps], adding up to 1 within a probe; 0 behind an early end
};

struct DensityOptions {
  std::size_t probes = 4;
  std::size_t steps = 64;  ///< of Lanczos, one product each; a step keeps one vector
  std::uint64_t seed = 0;
};

/// Collective. The basis is orthogonalised in full. Throws Error when A gives a value that is not finite.
template <class Real, class Space>
SpectralDensity spectral_density(Operator<Real, Space> const& a, std::shared_ptr<VectorPool<Real, Space>> const& pool,
                                 DensityOptions const& options);

}  // namespace onedge::spectrum
