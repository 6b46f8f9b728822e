// A loss that is thrown far above what it was is noticed once.
#include <onedge/io/trajectory.hpp>
#include <onedge/training/loss_watch.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace onedge::training {
namespace {

/// The steps at which something was said.
std::vector<std::int64_t> heard(LossWatch watch, std::vector<double> const& losses) {
  std::vector<std::int64_t> steps;
  for (std::size_t t = 0; t < losses.size(); ++t) {
    if (watch.see(static_cast<std::int64_t>(t), losses[t])) steps.push_back(static_cast<std::int64_t>(t));
  }
  return steps;
}

TEST(LossWatch, SpeaksOnceAboveTenTimesTheSmallest) {
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(heard({}, {2.3, 2.0, 20.0, 19.0}), Steps{});  // ten times is not more
  EXPECT_EQ(heard({}, {2.3, 2.0, 20.1, 400.0, 1.0, 90.0}), Steps{2});
  EXPECT_EQ(heard({}, {2.3, 24.0}), Steps{1});  // many times the first
  EXPECT_EQ(heard({}, {2.3, 1e-3, 5e-3, 2e-2, 1e-4}), Steps{3});
  EXPECT_EQ(heard({}, {1.0, std::nan(""), 11.0}), Steps{2});
  EXPECT_EQ(heard({}, {}), Steps{});
}

TEST(LossWatch, SaysWhatAndWhere) {
  LossWatch watch;
  watch.see(4, 0.5);
  auto const said = watch.see(5, 12.25);
  ASSERT_TRUE(said);
  for (auto const* const part : {"12.25", "0.5", "step 4"}) EXPECT_NE(said->find(part), std::string::npos) << *said;
}

TEST(LossWatch, KnowsWhatEarlierStartsSaw) {
  io::Trajectory quiet(io::Description{}), loud(io::Description{});
  for (auto* const trajectory : {&quiet, &loud}) {
    auto& steps = trajectory->declare("steps", io::step_columns({"loss"}));
    steps.append(0, {{"loss", 1.0}});
    steps.append(1, {{"loss", trajectory == &loud ? 100.0 : 0.1}});
  }
  LossWatch after_quiet, after_loud;
  after_quiet.see(quiet);
  after_loud.see(loud);
  EXPECT_TRUE(after_quiet.see(2, 1.5));
  EXPECT_FALSE(after_loud.see(2, 50.0));
  after_loud.see(io::Trajectory(io::Description{}));  // of a start that did no step
}

}  // namespace
}  // namespace onedge::training
