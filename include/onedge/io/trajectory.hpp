#pragma once
// The trajectory of a run: records in memory, published as one complete file. Nothing on disk is changed in place.
#include <onedge/core/precision.hpp>
#include <onedge/data/fingerprint.hpp>
#include <onedge/io/table.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace onedge::io {

enum class Status { running, finished, diverged, interrupted, failed };
/// "running", "finished", …, as the file's attribute says it.
std::string to_string(Status status);

/// Root attributes that stay as they are through a run.
struct Description {
  std::string deck;  ///< YAML with every default filled in
  std::string command_line;
  Precision precision = Precision::single_precision;
  std::int64_t parameters = 0;
  std::int64_t samples = 0;
  std::int64_t case_index = 0;  ///< of a sweep
  std::int64_t cases = 0;       ///< how many that has; 0: no sweep
  data::Identity data = {};     ///< attributes train_data, test_data; files of before have none
};

/// The program that wrote a file; "unknown" where it does not say so.
struct Writer {
  std::string version;
  std::string revision;  ///< of git
};

/// One start of the program. Of several segments that contain a step, the last one holds.
struct Segment {
  std::int64_t first_step = 0;
  std::int64_t ranks = 1;
  std::string backend;
  std::string hosts;
  std::string job_id;  ///< of the batch system; empty without one
  std::string revision;
  std::string time;              ///< of the start, ISO 8601 with offset
  std::string devices;           ///< their names, each once; empty where ranks compute on processor cores
  std::string communicator;      ///< what carries vectors between ranks
  std::int64_t micro_batch = 0;  ///< samples that a rank held at once, if it had as many; 0: not recorded
  std::string arithmetic = {};   ///< processors and libraries of products on the host, each once, joined by commas
};

struct Warning {
  std::int64_t step = 0;
  std::string message;
};

/// A region of the program in the profile of a run (run.profile).
struct ProfileRow {
  std::string region;      ///< names from the outermost region on, separated by " > "
  std::int64_t calls = 0;  ///< by one rank
  double seconds = 0;      ///< mean over ranks
  double own_seconds = 0;  ///< the same without the regions within
  double slowest = 0;      ///< seconds of the slowest rank
};

class Trajectory {
 public:
  static constexpr std::int64_t format_version = 1;

  explicit Trajectory(Description description);
  /// All records of a published file. Error when it is missing, damaged, no trajectory, or of a newer format.
  static Trajectory load(std::filesystem::path const& path);
  /// What write() wrote; errors as above.
  static Trajectory read(hdf5::Group const& group);

  /// The table of that name: a new one, or the loaded one. Error when that has other columns. The reference stays
  /// valid.
  Table& declare(std::string const& name, std::vector<Column> const& columns);
  bool has(std::string const& name) const { return m_tables.contains(name); }
  /// Error when there is none of that name.
  Table const& table(std::string const& name) const;

  /// A start of the program: a segment, the status running, and what is odd about the data, if it is not known yet.
  void begin(Segment segment, std::vector<std::string> const& warnings);
  void add_segment(Segment segment) { m_segments.push_back(std::move(segment)); }
  void set_segments(std::vector<Segment> segments) { m_segments = std::move(segments); }
  void warn(std::int64_t step, std::string message) { m_warnings.push_back({step, std::move(message)}); }
  /// Those of that step and later ones: it is made anew.
  void forget_warnings(std::int64_t step) {
    std::erase_if(m_warnings, [&](Warning const& warning) { return warning.step >= step; });
  }
  void set_status(Status status) { m_status = status; }
  /// Of the present start of the program.
  void set_profile(std::vector<ProfileRow> profile) { m_profile = std::move(profile); }
  void set_description(Description description) { m_description = std::move(description); }

  Description const& description() const { return m_description; }
  /// Of the file that was read; this program for a new trajectory.
  Writer const& writer() const { return m_writer; }
  Status status() const { return m_status; }
  std::vector<Segment> const& segments() const { return m_segments; }
  std::vector<Warning> const& warnings() const { return m_warnings; }
  std::vector<ProfileRow> const& profile() const { return m_profile; }

  /// `/steps`, once declared, `/segments` and `/warnings` are there from the start, other tables when they have a
  /// record.
  void write(hdf5::Group& group) const;
  /// Writes the complete file in place of the previous one (hdf5::publish). Error names the file and the cause.
  void publish(std::filesystem::path const& path) const;

 private:
  Description m_description;
  Writer m_writer;
  Status m_status = Status::running;
  std::vector<Segment> m_segments;
  std::vector<Warning> m_warnings;
  std::vector<ProfileRow> m_profile;
  std::map<std::string, Table> m_tables;
};

}  // namespace onedge::io
