// Signals that ask for an end: noted, obeyed, given back.
#include <onedge/training/stop_signals.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace onedge::training {
namespace {

TEST(StopSignals, AreNotedOnceAndByName) {
  StopSignals const outer;
  EXPECT_EQ(outer.name(), "");
  std::raise(SIGUSR2);
  std::raise(SIGTERM);
  StopSignals const inner;
  EXPECT_EQ(outer.name(), "SIGUSR2");
  EXPECT_EQ(inner.name(), "SIGUSR2");
}

TEST(StopSignals, AreForgottenWithTheOutermost) {
  {
    StopSignals const outer;
    { StopSignals const inner; }
    std::raise(SIGHUP);  // still noted
    EXPECT_EQ(outer.name(), "SIGHUP");
  }
  EXPECT_EQ(StopSignals().name(), "");
  EXPECT_EXIT(std::raise(SIGUSR1), testing::KilledBySignal(SIGUSR1), "");
}

TEST(StopSignals, AProgramThatNeedNotEndInOrderObeysThem) {
  EXPECT_EXIT(
      {
        StopSignals signals;
        std::raise(SIGUSR1);
        signals.obey();
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGUSR1), "");
  EXPECT_EXIT(
      {
        StopSignals signals;
        signals.obey();
        std::raise(SIGTERM);
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST(StopSignals, ASecondOneEndsTheProcess) {
  EXPECT_EXIT(
      {
        StopSignals const signals;
        std::raise(SIGTERM);
        usleep(1'100'000);
        std::raise(SIGTERM);
        std::_Exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
}

// As nohup leaves it.
TEST(StopSignals, AHangUpThatIsIgnoredStaysIgnored) {
  auto* const before = std::signal(SIGHUP, SIG_IGN);
  {
    StopSignals const signals;
    std::raise(SIGHUP);
    EXPECT_EQ(signals.name(), "");
  }
  std::signal(SIGHUP, before);
}

}  // namespace
}  // namespace onedge::training
