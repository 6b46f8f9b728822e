#include <onedge/core/error.hpp>
#include <onedge/training/loss_watch.hpp>

namespace onedge::training {

std::optional<std::string> LossWatch::see(std::int64_t step, double loss) {
  if (loss < m_smallest) {
    m_smallest = loss;
    m_smallest_step = step;
    return {};
  }
  if (m_has_warned || !(loss > factor * m_smallest)) return {};
  m_has_warned = true;
  return concat("the loss, ", loss, ", is more than ", factor, " times the smallest so far, ", m_smallest, " at step ",
                m_smallest_step);
}

void LossWatch::see(io::Trajectory const& past) {
  if (!past.has("steps")) return;
  auto const& table = past.table("steps");
  auto const& losses = table.values("loss");
  for (std::size_t i = 0; i < losses.size(); ++i) see(table.steps()[i], losses[i]);
}

}  // namespace onedge::training
