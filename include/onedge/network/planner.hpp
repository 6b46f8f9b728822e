#pragma once
// Which arrays may share memory. Knows nothing of networks: only sizes and lifetimes.
#include <cstddef>
#include <vector>

namespace onedge::network {

/// An array that is in use from moment `first` to moment `last`, both included.
struct Lifetime {
  std::size_t size = 0;  // elements
  int first = 0;
  int last = 0;
};

struct SlotPlan {
  std::vector<int> slot;               // of each array; −1 for arrays of size 0
  std::vector<std::size_t> slot_size;  // elements
  std::size_t total() const;
};

/// Gives every array a slot such that no two arrays whose lifetimes meet share one. Greedy in order of birth: the
/// smallest free slot that is large enough, else the largest free one, which then grows.
SlotPlan share_slots(std::vector<Lifetime> const& arrays);

}  // namespace onedge::network
