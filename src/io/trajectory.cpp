#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/trajectory.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "values.hpp"

namespace onedge::io {

namespace {

constexpr std::array statuses = {Status::running, Status::finished, Status::diverged, Status::interrupted,
                                 Status::failed};

Status status_of(std::string const& text, std::string const& file) {
  for (auto const status : statuses) {
    if (to_string(status) == text) return status;
  }
  throw Error(concat(file, " has the unknown status '", text, "'"));
}

/// One value per row, out of each row's member.
template <class T, class Row>
std::vector<T> collect(std::vector<Row> const& rows, T Row::*member) {
  std::vector<T> values;
  for (auto const& row : rows) values.push_back(row.*member);
  return values;
}

template <class Row>
struct RowColumns {
  hdf5::Group& group;
  std::vector<Row> const& rows;

  template <class T>
  hdf5::Dataset write(std::string const& name, T Row::*member, std::string const& description,
                      std::string const& units = "1") {
    auto dataset = group.write(name, collect(rows, member), hdf5::Layout::extensible);
    dataset.write_attribute("description", description);
    dataset.write_attribute("units", units);
    return dataset;
  }
};

template <class Row, class T>
void restore(hdf5::Group const& group, std::string const& name, std::vector<Row>& rows, T Row::*member) {
  auto const values = group.read<T>(name);
  require(values.size() == rows.size(), group.label(), "/", name, " has ", values.size(), " rows, ", rows.size(),
          " expected");
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*member = values[i];
}

void write_segments(hdf5::Group group, std::vector<Segment> const& segments) {
  RowColumns<Segment> columns{group, segments};
  columns.write("first_step", &Segment::first_step, "first step of this start of the program");
  columns.write("ranks", &Segment::ranks, "number of MPI ranks");
  columns.write("backend", &Segment::backend, "where the kernels ran");
  columns.write("devices", &Segment::devices, "names of the devices, each once; empty without devices");
  columns.write("communicator", &Segment::communicator, "what carries vectors between ranks");
  columns.write("micro_batch", &Segment::micro_batch,
                "samples that a rank held at once, where it had as many; 0: not recorded");
  columns.write("arithmetic", &Segment::arithmetic,
                "processors of the hosts and libraries of matrix products on them, each once; empty: not recorded");
  columns.write("hosts", &Segment::hosts, "names of the hosts");
  columns.write("job_id", &Segment::job_id, "number of the job in the batch system; empty without one");
  columns.write("revision", &Segment::revision, "git revision of the program");
  columns.write("time", &Segment::time, "time of the start, ISO 8601");
}

std::vector<Segment> read_segments(hdf5::Group const& group) {
  std::vector<Segment> segments(group.read<std::int64_t>("first_step").size());
  restore(group, "first_step", segments, &Segment::first_step);
  restore(group, "ranks", segments, &Segment::ranks);
  restore(group, "backend", segments, &Segment::backend);
  if (group.has("devices")) {  // files of before have none
    restore(group, "devices", segments, &Segment::devices);
    restore(group, "communicator", segments, &Segment::communicator);
  }
  if (group.has("micro_batch")) restore(group, "micro_batch", segments, &Segment::micro_batch);
  if (group.has("arithmetic")) restore(group, "arithmetic", segments, &Segment::arithmetic);
  restore(group, "hosts", segments, &Segment::hosts);
  restore(group, "job_id", segments, &Segment::job_id);
  restore(group, "revision", segments, &Segment::revision);
  restore(group, "time", segments, &Segment::time);
  return segments;
}

void write_warnings(hdf5::Group group, std::vector<Warning> const& warnings) {
  RowColumns<Warning> columns{group, warnings};
  auto step = columns.write("step", &Warning::step, "step at which the warning was given");
  step.make_scale("step");
  columns.write("message", &Warning::message, "what was remarkable").attach_scale(step);
}

std::vector<Warning> read_warnings(hdf5::Group const& group) {
  std::vector<Warning> warnings(group.read<std::int64_t>("step").size());
  restore(group, "step", warnings, &Warning::step);
  restore(group, "message", warnings, &Warning::message);
  return warnings;
}

void write_profile(hdf5::Group group, std::vector<ProfileRow> const& profile) {
  RowColumns<ProfileRow> columns{group, profile};
  columns.write("region", &ProfileRow::region, "names of the regions of the program, the outermost first");
  columns.write("calls", &ProfileRow::calls, "how often a rank entered the region");
  columns.write("seconds", &ProfileRow::seconds, "time in the region, mean over ranks", "s");
  columns.write("own_seconds", &ProfileRow::own_seconds, "the same without the regions within it", "s");
  columns.write("slowest", &ProfileRow::slowest, "time of the slowest rank in the region", "s");
}

std::vector<ProfileRow> read_profile(hdf5::Group const& group) {
  std::vector<ProfileRow> profile(group.read<std::string>("region").size());
  restore(group, "region", profile, &ProfileRow::region);
  restore(group, "calls", profile, &ProfileRow::calls);
  restore(group, "seconds", profile, &ProfileRow::seconds);
  restore(group, "own_seconds", profile, &ProfileRow::own_seconds);
  restore(group, "slowest", profile, &ProfileRow::slowest);
  return profile;
}

void write_attributes(hdf5::Group& group, Description const& description, Status status) {
  group.write_attribute("format_version", Trajectory::format_version);
  write_writer(group);
  group.write_attribute("deck", description.deck);
  group.write_attribute("command_line", description.command_line);
  group.write_attribute("precision", to_string(description.precision));
  group.write_attribute("parameters", description.parameters);
  group.write_attribute("samples", description.samples);
  group.write_attribute("status", to_string(status));
  write_identity(group, description.data);
  if (description.cases == 0) return;
  group.write_attribute("case", description.case_index);
  group.write_attribute("cases", description.cases);
}

Description read_description(hdf5::Group const& group) {
  Description description;
  description.deck = group.attribute<std::string>("deck");
  description.command_line = group.attribute<std::string>("command_line");
  bool const single = group.attribute<std::string>("precision") == "single";
  description.precision = single ? Precision::single_precision : Precision::double_precision;
  description.parameters = group.attribute<std::int64_t>("parameters");
  description.samples = group.attribute<std::int64_t>("samples");
  description.data = read_identity(group);
  if (!group.has_attribute("cases")) return description;
  description.case_index = group.attribute<std::int64_t>("case");
  description.cases = group.attribute<std::int64_t>("cases");
  return description;
}

}  // namespace

std::string to_string(Status status) {
  switch (status) {
    case Status::running:
      return "running";
    case Status::finished:
      return "finished";
    case Status::diverged:
      return "diverged";
    case Status::interrupted:
      return "interrupted";
    case Status::failed:
      return "failed";
  }
  throw Error("unknown status");
}

Trajectory::Trajectory(Description description) : m_description(std::move(description)), m_writer(this_program()) {}

Trajectory Trajectory::load(std::filesystem::path const& path) {
  hdf5::check_whole(path);
  try {
    return read(hdf5::File::open(path));
  } catch (Error const&) {
    throw;
  } catch (std::exception const& error) {  // it may declare more than memory holds
    throw Error(concat("damaged trajectory ", path.string(), ": ", error.what()));
  }
}

Trajectory Trajectory::read(hdf5::Group const& group) {
  bool const ours = group.has_attribute("format_version") && group.has("segments") && group.has("warnings");
  require(ours, group.label(), " it is not a trajectory");
  auto const version = group.attribute<std::int64_t>("format_version");
  require(version <= format_version, group.label(), " its format version is ", version, ", this program reads up to ",
          format_version);
  Trajectory trajectory(read_description(group));
  trajectory.m_writer = read_writer(group);
  trajectory.m_status = status_of(group.attribute<std::string>("status"), group.label());
  trajectory.m_segments = read_segments(group.group("segments"));
  trajectory.m_warnings = read_warnings(group.group("warnings"));
  if (group.has("profile")) trajectory.m_profile = read_profile(group.group("profile"));
  for (auto const& name : group.names()) {
    bool const is_table = group.is_group(name) && name != "segments" && name != "warnings" && name != "profile";
    if (is_table) trajectory.m_tables.emplace(name, Table::read(group.group(name)));
  }
  return trajectory;
}

Table& Trajectory::declare(std::string const& name, std::vector<Column> const& columns) {
  auto const [found, is_new] = m_tables.try_emplace(name, columns);
  if (is_new) return found->second;
  try {
    found->second.redeclare(columns);
  } catch (Error const& error) {
    throw Error(concat("the trajectory's table '", name, "' is not what the run writes now: ", error.what()));
  }
  return found->second;
}

Table const& Trajectory::table(std::string const& name) const {
  auto const found = m_tables.find(name);
  require(found != m_tables.end(), "the trajectory has no table '", name, "'");
  return found->second;
}

void Trajectory::begin(Segment segment, std::vector<std::string> const& warnings) {
  set_status(Status::running);
  for (auto const& text : warnings) {
    auto const is_same = [&](Warning const& known) { return known.message == text; };
    if (std::none_of(m_warnings.begin(), m_warnings.end(), is_same)) warn(segment.first_step, text);
  }
  add_segment(std::move(segment));
}

void Trajectory::write(hdf5::Group& group) const {
  write_attributes(group, m_description, m_status);
  write_segments(group.create_group("segments"), m_segments);
  write_warnings(group.create_group("warnings"), m_warnings);
  if (!m_profile.empty()) write_profile(group.create_group("profile"), m_profile);
  for (auto const& [name, table] : m_tables) {
    if (table.size() == 0 && name != "steps") continue;
    auto table_group = group.create_group(name);
    table.write(table_group);
  }
}

void Trajectory::publish(std::filesystem::path const& path) const {
  hdf5::publish(path, [&](hdf5::File& file) { write(file); });
}

}  // namespace onedge::io
