#include "profile_report.hpp"

#include <onedge/core/error.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace onedge::training {

namespace {

constexpr std::string_view step_region = "onedge::Trainer::step";
constexpr std::string_view communication = "onedge::Communicator::";
constexpr std::string_view separator = " > ";
constexpr std::size_t most_lines = 16;  // of operations

std::string last_name(std::string const& path) {
  auto const end = path.rfind(separator);
  return end == std::string::npos ? path : path.substr(end + separator.size());
}

/// What a step's region is right within another of.
bool is_within(std::string const& path, std::string_view outer) {
  return path.starts_with(outer) && path.substr(outer.size()).starts_with(separator);
}

std::string shown(std::string const& name) {
  constexpr std::string_view prefix = "onedge::";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

using Seconds = std::map<std::string, double>;

/// Lines "name, milliseconds per step, share", the longest time first.
std::string lines_of(Seconds const& seconds, double steps, double all) {
  std::vector<std::pair<std::string, double>> sorted(seconds.begin(), seconds.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](auto const& a, auto const& b) { return a.second > b.second; });
  if (sorted.size() > most_lines) sorted.resize(most_lines);
  std::string text;
  for (auto const& [name, value] : sorted) {
    text += fmt::format("\n  {:<46} {:>10.3f} {:>6.1f} %", shown(name), 1e3 * value / steps, 100 * value / all);
  }
  return text;
}

}  // namespace

std::vector<io::ProfileRow> gather_profile(Profile const& profile, comm::Communicator const& communicator) {
  auto const regions = profile.regions();
  std::ostringstream own;
  own.precision(17);
  for (auto const& region : regions) {
    own << region.path << '\t' << region.calls << '\t' << region.seconds << '\t' << region.own_seconds << '\n';
  }
  std::vector<io::ProfileRow> rows;
  for (auto const& text : communicator.gather(own.str())) {
    std::istringstream lines(text);
    for (std::string path; std::getline(lines, path, '\t');) {
      io::ProfileRow row;
      lines >> row.calls >> row.seconds >> row.own_seconds;
      lines.ignore();
      auto found = std::find_if(rows.begin(), rows.end(), [&](auto const& known) { return known.region == path; });
      if (found == rows.end()) found = rows.insert(rows.end(), {path, 0, 0, 0, 0});
      found->calls = std::max(found->calls, row.calls);
      found->seconds += row.seconds / communicator.size();
      found->own_seconds += row.own_seconds / communicator.size();
      found->slowest = std::max(found->slowest, row.seconds);
    }
  }
  return rows;
}

std::string profile_text(std::vector<io::ProfileRow> const& rows) {
  Seconds phases, communicated, operations;
  io::ProfileRow step;
  for (auto const& row : rows) {
    std::string const name = last_name(row.region);
    if (row.region == step_region) step = row;
    if (!is_within(row.region, step_region)) {
      if (row.region != step_region) phases[name] += row.seconds;  // between steps
      continue;
    }
    if (row.region == std::string(step_region).append(separator) + name) phases[name] += row.seconds;
    (name.starts_with(communication) ? communicated : operations)[name] += row.own_seconds;
  }
  if (step.calls == 0) return "profile: no step was made";
  phases["everything else"] = step.own_seconds;
  auto const steps = static_cast<double>(step.calls);
  return fmt::format(
      "profile of {} steps, {:.3f} ms each; ms per step, means over ranks\nphases{}\ncommunication{}\noperations, "
      "without communication{}",
      step.calls, 1e3 * step.seconds / steps, lines_of(phases, steps, step.seconds),
      lines_of(communicated, steps, step.seconds), lines_of(operations, steps, step.seconds));
}

}  // namespace onedge::training
