#include <onedge/spectrum/eigen_tracker.hpp>

#include <algorithm>
#include <cmath>

namespace onedge::spectrum {

namespace {

constexpr double noise = 0.1;  // of a unit vector

}  // namespace

template <class Real, class Space>
ShardedVectors<Real, Space> EigenTracker<Real, Space>::start(Vectors const& hint, std::uint64_t draw) const {
  Vectors block(hint.pool(), m_count);
  block.randomise(m_seed, draw);
  // A column of noise has about this length.
  double const length = std::sqrt(static_cast<double>(hint.layout().length()));
  int const known = m_vectors ? std::min(m_count, m_vectors->columns()) : 0;
  for (int c = 0; c < known; ++c) {
    auto column = block.select({c});
    column.combine(noise / length, column, 1, m_vectors->select({c}));
  }
  double const size = std::sqrt(hint.dots(hint)[0]);
  if (!(size > 0) || !std::isfinite(size)) return block;
  auto first = block.select({0});
  if (known == 0) first.scale({1 / length});
  double const sign = first.dots(hint)[0] < 0 ? -1 : 1;  // joined, not cancelled
  first.combine(1, first, sign / size, hint);
  return block;
}

template <class Real, class Space>
EigenPairs<Real, Space> EigenTracker<Real, Space>::measure(Operator<Real, Space> const& a, Vectors const& hint,
                                                           std::uint64_t draw) {
  auto pairs = solve(a, start(hint, draw), m_options);
  bool const usable = std::all_of(pairs.values.begin(), pairs.values.end(), [](double v) { return std::isfinite(v); });
  if (usable) {
    m_vectors = pairs.vectors;
  } else {
    m_vectors.reset();
  }
  return pairs;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class EigenTracker<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
