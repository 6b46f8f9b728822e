#pragma once
// What operations on sharded vectors do with a rank's own slices.
#include <onedge/core/kokkos.hpp>

#include <cstdint>
#include <vector>

namespace onedge::spectrum {

template <class Real, class Space>
using Columns = std::vector<VectorWindow<Real, Space>>;

/// target_j ← Σ_k factors[k, j] · a_k + factors.back() · target_j, added up in double, in one sweep over all vectors;
/// a last factor of 0 overwrites. No vector is in both.
template <class Real, class Space>
void multiply_add(Columns<Real, Space> const& target, Columns<Real, Space> const& a,
                  std::vector<double> const& factors);
/// target_j ← alpha · a_j + beta · b_j; a factor 0 leaves its vectors unread.
template <class Real, class Space>
void combine(Columns<Real, Space> const& target, double alpha, Columns<Real, Space> const& a, double beta,
             Columns<Real, Space> const& b);
template <class Real, class Space>
void scale(Columns<Real, Space> const& target, std::vector<double> const& factors);
template <class Real, class Space>
void multiply_elements(Columns<Real, Space> const& target, VectorWindow<Real, Space> const& factors);

// A drawn number serves this many elements, one bit each.
constexpr std::size_t signs_per_word = 32;
template <class Real, class Space>
void set_signs(Vector<std::uint64_t, Space> const& bits, VectorWindow<Real, Space> const& target);

}  // namespace onedge::spectrum
