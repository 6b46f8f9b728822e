#pragma once
#include <onedge/io/trajectory.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace onedge::training {

/// Notices, once in a run, a loss that is far above what it was: thrown there, though finite, it is easily overlooked.
class LossWatch {
 public:
  static constexpr double factor = 10;

  /// The losses of a run in the order of its steps. What to warn of: the first that is more than `factor` times the
  /// smallest one before it.
  std::optional<std::string> see(std::int64_t step, double loss);
  /// Those of earlier starts, which have been warned of.
  void see(io::Trajectory const& past);

 private:
  double m_smallest = std::numeric_limits<double>::infinity();
  std::int64_t m_smallest_step = 0;
  bool m_has_warned = false;
};

}  // namespace onedge::training
