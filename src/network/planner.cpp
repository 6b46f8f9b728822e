#include <onedge/network/planner.hpp>

#include <algorithm>
#include <numeric>

namespace onedge::network {

std::size_t SlotPlan::total() const { return std::accumulate(slot_size.begin(), slot_size.end(), std::size_t{0}); }

SlotPlan share_slots(std::vector<Lifetime> const& arrays) {
  SlotPlan plan;
  plan.slot.assign(arrays.size(), -1);
  std::vector<int> busy_until;  // of each slot
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return arrays[a].first < arrays[b].first; });
  for (std::size_t const index : order) {
    Lifetime const& array = arrays[index];
    if (array.size == 0) continue;
    int best = -1;
    for (int slot = 0; slot < static_cast<int>(busy_until.size()); ++slot) {
      if (busy_until[slot] >= array.first) continue;
      if (best < 0) {
        best = slot;
        continue;
      }
      bool const fits = plan.slot_size[slot] >= array.size;
      bool const best_fits = plan.slot_size[best] >= array.size;
      bool const smaller = plan.slot_size[slot] < plan.slot_size[best];
      if (fits ? (!best_fits || smaller) : (!best_fits && !smaller)) best = slot;
    }
    if (best < 0) {
      best = static_cast<int>(busy_until.size());
      busy_until.push_back(0);
      plan.slot_size.push_back(0);
    }
    plan.slot[index] = best;
    plan.slot_size[best] = std::max(plan.slot_size[best], array.size);
    busy_until[best] = array.last;
  }
  return plan;
}

}  // namespace onedge::network
