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
  /// when somebody else holds the lock: the message names host, process and time. Removes what a killed writer left
  /// half-written.
  RunDirectory(std::filesystem::path path, bool fresh, double patience = 15);
  ~RunDirectory();
  RunDirectory(RunDirectory const&) = delete;
  RunDirectory& operator=(RunDirectory const&) = delete;

  std::filesystem::path const& path() const { return m_path; }
  std::filesystem::path trajectory() const { return m_path / "trajectory.h5"; }
  std::filesystem::path log() const { return m_path / "run.log"; }
  /// Who makes this file asks the run to stop.
  std::filesystem::path stop() const { return m_path / "stop"; }
  /// False where the file system has no locks.
  bool is_locked() const { return m_is_locked; }
  /// Gives a file that cannot be read another name, damaged-NAME, so that it is neither taken for a good one nor
  /// replaced; returns the new path.
  std::filesystem::path set_aside(std::filesystem::path const& file) const;

 private:
  std::filesystem::path m_path;
  int m_lock = -1;
  bool m_is_locked = true;
};

}  // namespace onedge::training
