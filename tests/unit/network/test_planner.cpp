// Shared memory of a workspace: no two arrays that live at the same time may share a slot.
#include <onedge/core/random.hpp>
#include <onedge/network/planner.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace onedge::network {
namespace {

bool meet(Lifetime const& a, Lifetime const& b) { return a.first <= b.last && b.first <= a.last; }

/// The most elements that are in use at one moment: no plan can do with less.
std::size_t largest_moment(std::vector<Lifetime> const& arrays) {
  std::size_t largest = 0;
  for (auto const& now : arrays) {
    std::size_t sum = 0;
    for (auto const& array : arrays) sum += array.first <= now.first && now.first <= array.last ? array.size : 0;
    largest = std::max(largest, sum);
  }
  return largest;
}

void check(std::vector<Lifetime> const& arrays) {
  SlotPlan const plan = share_slots(arrays);
  ASSERT_EQ(plan.slot.size(), arrays.size());
  std::size_t sum = 0;
  for (std::size_t a = 0; a < arrays.size(); ++a) {
    sum += arrays[a].size;
    if (arrays[a].size == 0) {
      EXPECT_EQ(plan.slot[a], -1);
      continue;
    }
    ASSERT_GE(plan.slot[a], 0);
    ASSERT_LT(static_cast<std::size_t>(plan.slot[a]), plan.slot_size.size());
    EXPECT_LE(arrays[a].size, plan.slot_size[static_cast<std::size_t>(plan.slot[a])]);
    for (std::size_t b = 0; b < a; ++b) {
      if (arrays[b].size > 0 && meet(arrays[a], arrays[b])) {
        EXPECT_NE(plan.slot[a], plan.slot[b]) << a << " and " << b;
      }
    }
  }
  EXPECT_EQ(plan.total(), std::accumulate(plan.slot_size.begin(), plan.slot_size.end(), std::size_t{0}));
  EXPECT_LE(plan.total(), sum);
  EXPECT_GE(plan.total(), largest_moment(arrays));
}

TEST(Planner, NoTwoArraysThatMeetShareASlot) {
  RandomStream const random(1, "planner");
  std::uint64_t draw = 0;
  for (int trial = 0; trial < 300; ++trial) {
    SCOPED_TRACE(trial);
    std::vector<Lifetime> arrays(random.integer(draw++, 40));
    auto const moments = 1 + random.integer(draw++, 30);
    auto const spread = 1 + random.integer(draw++, 12);
    for (auto& array : arrays) {
      array.size = random.integer(draw++, 100);
      array.first = static_cast<int>(random.integer(draw++, moments)) - 1;
      array.last = array.first + static_cast<int>(random.integer(draw++, spread));
    }
    check(arrays);
  }
}

TEST(Planner, AChainNeedsTwoSlots) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({64, i, i + 1});
  check(chain);
  EXPECT_EQ(share_slots(chain).total(), 128u);
}

TEST(Planner, PrefersTheSmallestSlotThatFits) {
  // Free when the last array is born: slots of 100 and of 10.
  std::vector<Lifetime> const arrays{{100, 0, 1}, {10, 0, 1}, {8, 2, 3}, {90, 2, 3}};
  check(arrays);
  EXPECT_EQ(share_slots(arrays).total(), 110u);
}

TEST(Planner, NothingNeedsNothing) {
  EXPECT_EQ(share_slots({}).total(), 0u);
  check({{0, 0, 5}, {0, 2, 3}});
}

}  // namespace
}  // namespace onedge::network
