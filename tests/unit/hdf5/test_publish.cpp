// A published file is whole at every moment: after SIGKILL, and when it cannot be written.
#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include "support/scratch.hpp"

namespace {

using namespace onedge;
using hdf5::File;
using hdf5::Layout;

/// A file of two columns of `rows` rows; the second holds the number of rows everywhere.
void publish_columns(std::filesystem::path const& path, std::size_t rows) {
  hdf5::publish(path, [&](File& file) {
    file.write("step", std::vector<std::int64_t>(rows, 1), Layout::extensible);
    file.write("rows", std::vector<double>(rows, static_cast<double>(rows)), Layout::extensible);
  });
}

/// Rows of a file written by publish_columns, after checking that it is whole.
std::size_t rows_of(std::filesystem::path const& path) {
  auto const file = File::open(path);
  auto const step = file.read<std::int64_t>("step");
  auto const rows = file.read<double>("rows");
  EXPECT_EQ(step.size(), rows.size());
  EXPECT_EQ(rows, std::vector<double>(rows.size(), static_cast<double>(rows.size())));
  return rows.size();
}

std::size_t members(std::filesystem::path const& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

TEST(Publish, ReplacesTheFileAndLeavesNothingBeside) {
  test::ScratchFolder folder;
  publish_columns(folder / "a.h5", 3);
  publish_columns(folder / "a.h5", 70000);
  EXPECT_EQ(rows_of(folder / "a.h5"), 70000U);
  EXPECT_EQ(members(folder.path()), 1U);
}

TEST(Publish, EveryChangedOrMissingByteIsNoticed) {
  test::ScratchFolder folder;
  auto const path = folder / "a.h5";
  publish_columns(path, 3);
  EXPECT_TRUE(hdf5::has_checksum(path));
  EXPECT_NO_THROW(hdf5::check_whole(path));
  auto const bytes = test::slurp(path);
  for (std::size_t i = 0; i < bytes.size(); i += i + 64 < bytes.size() ? 997 : 1) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 16);
    test::spit(path, damaged);
    EXPECT_THROW(hdf5::check_whole(path), Error) << i;
    test::spit(path, bytes.substr(0, i));
    EXPECT_THROW(hdf5::check_whole(path), Error) << i;
  }
  test::spit(path, bytes + "x");
  EXPECT_THROW(hdf5::check_whole(path), Error);
  EXPECT_FALSE(hdf5::has_checksum(path));
  EXPECT_FALSE(hdf5::has_checksum(folder.path()));
  EXPECT_FALSE(hdf5::has_checksum(folder / "none"));
  EXPECT_THROW(hdf5::check_whole(folder.path()), Error);
}

TEST(Publish, AFailingWriterLeavesThePreviousFile) {
  test::ScratchFolder folder;
  publish_columns(folder / "a.h5", 3);
  auto const fail = [](File& file) {
    file.write("x", std::vector<double>(10));
    throw Error("no more");
  };
  EXPECT_THROW(hdf5::publish(folder / "a.h5", fail), Error);
  EXPECT_EQ(rows_of(folder / "a.h5"), 3U);
  EXPECT_EQ(members(folder.path()), 1U);
}

TEST(Publish, AFolderThatIsNotThereIsNamed) {
  test::ScratchFolder folder;
  auto const message = test::message_of<Error>([&] { publish_columns(folder / "none" / "a.h5", 3); });
  EXPECT_NE(message.find("none/a.h5: No such file or directory"), std::string::npos) << message;
}

/// While it lives, no file of this process grows beyond `bytes`; a write that would fails instead of killing us.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : m_handler(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &m_previous);
    rlimit const limit{bytes, m_previous.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(FileSizeLimit const&) = delete;
  FileSizeLimit& operator=(FileSizeLimit const&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &m_previous);
    std::signal(SIGXFSZ, m_handler);
  }

 private:
  rlimit m_previous{};
  void (*m_handler)(int);
};

TEST(Publish, AFullDiskLeavesThePreviousFile) {
  test::ScratchFolder folder;
  publish_columns(folder / "a.h5", 3);
  std::string message;
  {
    FileSizeLimit const limit(200000);
    message = test::message_of<Error>([&] { publish_columns(folder / "a.h5", 500000); });
  }
  EXPECT_NE(message.find("a.h5: File too large"), std::string::npos) << message;
  EXPECT_EQ(rows_of(folder / "a.h5"), 3U);
  EXPECT_EQ(members(folder.path()), 1U);
  publish_columns(folder / "a.h5", 4);
  EXPECT_EQ(rows_of(folder / "a.h5"), 4U);
}

TEST(Publish, SurvivesSigkillAtAnyMoment) {
  test::ScratchFolder folder;
  auto const path = folder / "a.h5";
  publish_columns(path, 1);
  constexpr unsigned seed = 20240;
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> microseconds(0, 40000);
  std::cout << "seed " << seed << ", rows found:";
  std::size_t republished = 0;
  for (int trial = 0; trial < 20; ++trial) {
    auto const delay = microseconds(generator);
    pid_t const child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (std::size_t rows = 2;; rows = rows % 40000 + 997) publish_columns(path, rows);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(delay));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    auto const rows = rows_of(path);
    if (rows > 1) ++republished;
    std::cout << ' ' << rows;
  }
  std::cout << '\n';
  EXPECT_GT(republished, 0U) << "no writer ever got to publish: nothing was tested";
  publish_columns(path, 5);
  EXPECT_EQ(rows_of(path), 5U);
  EXPECT_EQ(members(folder.path()), 1U) << "a killed writer's temporary is reused, not kept";
}

}  // namespace
