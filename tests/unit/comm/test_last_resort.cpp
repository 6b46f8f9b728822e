// The end of a process that cannot go on: the other ranks are given notice, and nothing holds it up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "src/comm/last_resort.hpp"

namespace {

using onedge::comm::end_process;

TEST(LastResort, SaysWhyAndEnds) {
  EXPECT_EXIT(end_process("a rank is gone", [] {}), testing::ExitedWithCode(1), "onedge: a rank is gone");
}

TEST(LastResort, TriesToEndTheOthers) {
  EXPECT_EXIT(end_process("", [] { std::_Exit(7); }), testing::ExitedWithCode(7), "");
}

TEST(LastResort, DoesNotWaitForAnAttemptThatHangs) {
  EXPECT_EXIT(end_process(
                  "stuck", [] { pause(); }, 0.1),
              testing::ExitedWithCode(1), "onedge: stuck");
}

}  // namespace
