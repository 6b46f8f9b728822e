#include <onedge/spectrum/eigen_tracker.hpp>

#include <algorithm>
#include <cmath>

namespace onedge::spectrum {

namespace {

constexpr double noise = 0.1;  // of a unit vector

}  // namespace

template <class Real, class Space>
ShardedVectors<Real, Space> EigenTracker<Real, Space>::start(Vectors const& hint, std::uint64_t draw) const {
  int const width = m_options.width(m_count);
  Vectors block(hint.pool(), width);
  block.randomise_signs(m_seed, draw);
  // The length of a column of noise.
  double const length = std::sqrt(static_cast<double>(hint.layout().length()));
  int const known = m_vectors ? std::min(m_count, m_vectors->columns()) : 0;
  for (int c = 0; c < width; ++c) {
    auto column = block.select({c});
    column.scale({(c < known ? noise : 1) / length});
    for (int k = c; k < known; k += width) column.combine(1, column, 1, m_vectors->select({k}));
  }
  double const size = std::sqrt(hint.dots(hint)[0]);
  if (!(size > 0) || !std::isfinite(size)) return block;
  auto first = block.select({0});
  double const sign = first.dots(hint)[0] < 0 ? -1 : 1;  // joined, not cancelled
  first.combine(1, first, sign / size, hint);
  return block;
}

template <class Real, class Space>
EigenPairs<Real, Space> EigenTracker<Real, Space>::measure(Operator<Real, Space> const& a, Vectors const& hint,
                                                           std::uint64_t draw) {
  auto pairs = solve(a, start(hint, draw), m_count, m_options);
  if (pairs.vectors.columns() > 0 && !pairs.stopped) m_vectors = pairs.vectors;
  return pairs;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class EigenTracker<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
