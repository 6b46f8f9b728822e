// Not a kernel file: its additions must stay in the order in which they are written.
#include <onedge/linalg/vector.hpp>

namespace onedge::linalg {

namespace {

double tree_sum_of(double const* values, std::size_t count) {
  if (count == 0) return 0;
  if (count == 1) return values[0];
  std::size_t left = 1;
  while (2 * left < count) left *= 2;
  return tree_sum_of(values, left) + tree_sum_of(values + left, count - left);
}

}  // namespace

double tree_sum(std::vector<double> const& values) { return tree_sum_of(values.data(), values.size()); }

}  // namespace onedge::linalg
