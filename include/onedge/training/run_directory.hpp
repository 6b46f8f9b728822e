#pragma once
#include <filesystem>
#include <string>

namespace onedge::training {

/// The directory of a run, made and locked by its writer for as long as the object lives. Nothing in it is deleted that
/// is not ours. For one rank only.
class RunDirectory {
 public:
  /// What is there before the run.
  enum class Contents { absent, empty, run, foreign };
  static Contents inspect(std::filesystem::path const& path);
  /// Throws InputError when the directory is foreign, not writable, or (fresh) not empty. Changes nothing.
  static void check(std::filesystem::path const& path, bool fresh);

  /// Makes the directory and takes its lock, waiting up to `patience` seconds. Throws InputError as check() does, and
  /// when somebody else holds the lock: the message names host, process and time.
  RunDirectory(std::filesystem::path path, bool fresh, double patience = 15);
  ~RunDirectory();
  RunDirectory(RunDirectory const&) = delete;
  RunDirectory& operator=(RunDirectory const&) = delete;

  std::filesystem::path const& path() const { return m_path; }
  std::filesystem::path trajectory() const { return m_path / "trajectory.h5"; }
  std::filesystem::path log() const { return m_path / "run.log"; }

 private:
  std::filesystem::path m_path;
  int m_lock = -1;
};

}  // namespace onedge::training
