// Whose directory it is, and its lock.
#include <onedge/core/error.hpp>
#include <onedge/training/run_directory.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/scratch.hpp"

namespace onedge::training {
namespace {

namespace fs = std::filesystem;
using Contents = RunDirectory::Contents;

/// What a directory with these files is.
Contents contents_of(std::vector<std::string> const& files) {
  test::ScratchFolder const folder;
  for (auto const& file : files) test::spit(folder / file, "x");
  return RunDirectory::inspect(folder.path());
}

TEST(RunDirectory, KnowsItsOwn) {
  test::ScratchFolder const folder;
  EXPECT_EQ(RunDirectory::inspect(folder / "absent"), Contents::absent);
  EXPECT_EQ(contents_of({}), Contents::empty);
  EXPECT_EQ(contents_of({".lock"}), Contents::empty);
  EXPECT_EQ(contents_of({".lock", "run.log", "trajectory.h5", "notes.txt"}), Contents::run);
  EXPECT_EQ(contents_of({"checkpoint-00000000.h5"}), Contents::run);
  // Killed before the first trajectory was complete.
  EXPECT_EQ(contents_of({".lock", "run.log"}), Contents::run);
  EXPECT_EQ(contents_of({".lock", "run.log", ".trajectory.h5.tmp"}), Contents::run);
}

TEST(RunDirectory, LeavesOthersAlone) {
  EXPECT_EQ(contents_of({"notes.txt"}), Contents::foreign);
  EXPECT_EQ(contents_of({"run.log"}), Contents::foreign);
  EXPECT_EQ(contents_of({".lock", "run.log", "notes.txt"}), Contents::foreign);
  test::ScratchFolder const folder;
  test::spit(folder / "notes.txt", "x");
  auto const refusal = test::message_of<InputError>([&] { RunDirectory(folder.path(), false); });
  EXPECT_NE(refusal.find(folder.path().string()), std::string::npos) << refusal;
  EXPECT_FALSE(fs::exists(folder / ".lock"));
}

TEST(RunDirectory, FreshWantsNothingThere) {
  test::ScratchFolder const folder;
  EXPECT_NO_THROW(RunDirectory(folder / "new", true));
  EXPECT_NO_THROW(RunDirectory(folder / "new", true));  // nothing but a lock
  test::spit(folder / "new/trajectory.h5", "x");
  EXPECT_THROW(RunDirectory(folder / "new", true), InputError);
  EXPECT_NO_THROW(RunDirectory(folder / "new", false));
}

TEST(RunDirectory, HasOneWriterWhomTheLockNames) {
  test::ScratchFolder const folder;
  std::optional<RunDirectory> first(std::in_place, folder / "a/b/run", false);
  EXPECT_TRUE(fs::is_directory(folder / "a/b/run"));
  auto const refusal = test::message_of<InputError>([&] { RunDirectory(folder / "a/b/run", false, 0.3); });
  EXPECT_NE(refusal.find("process " + std::to_string(getpid()) + " on "), std::string::npos) << refusal;
  first.reset();
  EXPECT_NO_THROW(RunDirectory(folder / "a/b/run", false, 0.0));
}

TEST(RunDirectory, ChecksWithoutMakingAnything) {
  test::ScratchFolder const folder;
  RunDirectory::check(folder / "a/b/run", true);
  EXPECT_FALSE(fs::exists(folder / "a"));
  test::spit(folder / "file", "x");
  EXPECT_THROW(RunDirectory::check(folder / "file", false), InputError);
  EXPECT_THROW(RunDirectory::check(folder / "file/below", false), InputError);
}

}  // namespace
}  // namespace onedge::training
