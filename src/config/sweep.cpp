// The cases of a sweep: what section `sweep` of a deck says, multiplied out.
#include <onedge/config/deck.hpp>
#include <onedge/core/error.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "tree.hpp"
#include "write_yaml.hpp"

namespace onedge::config {

namespace {

using Case = std::vector<Assignment>;
using Cases = std::vector<Case>;

constexpr std::size_t most_cases = 100000;
constexpr std::size_t most_keys = 1000;       // of one case; there are some hundred
constexpr std::size_t most_values = 1000000;  // of all cases together
constexpr char const* parts_key = "parts";

[[noreturn]] void fail(Node const& node, std::string const& path, std::string const& message) {
  throw InputError(concat(node.location, ": sweep: ", path, ": ", message));
}

/// An integer when it is written as one.
struct Number {
  double value = 0;
  bool is_integer = false;
};

Number number_of(Node const& grid, std::string const& path, char const* key) {
  Node const& node = *grid.find(key);
  Number result;
  auto const* const begin = node.text.data();
  auto const* const end = begin + node.text.size();
  bool const plain = node.kind == Node::Kind::scalar && !node.quoted;
  auto const [stop, code] = std::from_chars(begin, end, result.value);
  if (!plain || code != std::errc() || stop != end || !std::isfinite(result.value)) {
    fail(node, path, concat(key, " must be a number, found ", describe(node)));
  }
  result.is_integer = node.text.find_first_not_of("+-0123456789") == std::string::npos;
  return result;
}

/// Twelve digits: 0.4 + 0.2 is then 0.6, and not 0.6000000000000001.
std::string grid_value(double value, bool is_integer) {
  if (is_integer) return write_yaml(static_cast<std::int64_t>(std::llround(value)));
  std::array<char, 32> buffer;
  auto const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, 12).ptr;
  std::from_chars(buffer.data(), end, value);
  return write_yaml(value);
}

/// {from, to[, by]}: from, from + by, …, up to `to`, with by = 1.
std::vector<std::string> linear_grid(Node const& grid, std::string const& path) {
  auto const from = number_of(grid, path, "from"), to = number_of(grid, path, "to");
  auto const by = grid.find("by") != nullptr ? number_of(grid, path, "by") : Number{1, true};
  double const steps = (to.value - from.value) / by.value;
  if (by.value == 0 || steps < 0) fail(grid, path, "the grid never reaches `to`");
  if (steps >= most_cases) fail(grid, path, concat("the grid has more than ", most_cases, " values"));
  std::vector<std::string> values;
  bool const is_integer = from.is_integer && by.is_integer;
  auto const last = static_cast<std::int64_t>(std::floor(steps + 1e-9));
  for (std::int64_t i = 0; i <= last; ++i) {
    values.push_back(grid_value(from.value + by.value * static_cast<double>(i), is_integer));
  }
  return values;
}

/// {from, times, count}: from, from·times, from·times², …, `count` values.
std::vector<std::string> geometric_grid(Node const& grid, std::string const& path) {
  auto const from = number_of(grid, path, "from"), times = number_of(grid, path, "times"),
             count = number_of(grid, path, "count");
  if (!count.is_integer || count.value < 1 || count.value > most_cases) {
    fail(grid, path, concat("count must be an integer from 1 to ", most_cases));
  }
  std::vector<std::string> values;
  bool const is_integer = from.is_integer && times.is_integer;
  double const largest = is_integer ? 0x1p53 : std::numeric_limits<double>::max();
  for (double value = from.value; values.size() < static_cast<std::size_t>(count.value); value *= times.value) {
    if (!(std::abs(value) <= largest)) fail(grid, path, "the grid's values become too large");
    values.push_back(grid_value(value, is_integer));
  }
  return values;
}

bool has_exactly(Node const& mapping, std::vector<std::string> const& required, std::string const& optional = "") {
  std::size_t found = 0;
  for (auto const& key : required) found += mapping.find(key) != nullptr ? 1 : 0;
  std::size_t const all = found + (!optional.empty() && mapping.find(optional) != nullptr ? 1 : 0);
  return found == required.size() && all == mapping.entries.size();
}

bool is_grid(Node const& node) { return node.find("from") != nullptr; }

/// The alternatives of one key: a list's items, a grid's values, or the one value that it has.
Cases axis(std::string const& path, Node const& node) {
  if (node.kind == Node::Kind::null || (node.kind == Node::Kind::sequence && node.items.empty())) {
    fail(node, path, "has no value");
  }
  Cases cases;
  if (node.kind == Node::Kind::sequence) {
    for (auto const& item : node.items) cases.push_back({{path, write_yaml(item), item.location}});
    return cases;
  }
  if (node.kind == Node::Kind::scalar) return {{{path, write_yaml(node), node.location}}};
  if (!has_exactly(node, {"from", "to"}, "by") && !has_exactly(node, {"from", "times", "count"})) {
    fail(node, path, "a grid is {from, to}, {from, to, by} or {from, times, count}");
  }
  auto const values = node.find("to") != nullptr ? linear_grid(node, path) : geometric_grid(node, path);
  for (auto const& value : values) cases.push_back({{path, value, node.location}});
  return cases;
}

/// Every case of the first with every case of the second, which varies faster.
Cases product(Cases first, Cases const& second, Node const& where) {
  if (first.size() * second.size() > most_cases) fail(where, "cases", concat("there are more than ", most_cases));
  std::size_t const values = first.empty() || second.empty() ? 0 : first[0].size() + second[0].size();
  if (values > most_keys) fail(where, "cases", concat("each sets more than ", most_keys, " keys"));
  if (first.size() * second.size() * values > most_values) {
    fail(where, "cases", concat("they set more than ", most_values, " values in all"));
  }
  if (second.size() == 1) {
    for (auto& one : first) one.insert(one.end(), second[0].begin(), second[0].end());
    return first;
  }
  Cases cases;
  for (auto const& one : first) {
    for (auto const& other : second) {
      cases.push_back(one);
      cases.back().insert(cases.back().end(), other.begin(), other.end());
    }
  }
  return cases;
}

Cases cases_of(Node const& mapping, std::string const& prefix, bool may_have_parts);

/// One part after another.
Cases parts_of(Node const& parts) {
  if (parts.kind != Node::Kind::mapping || parts.entries.empty()) {
    fail(parts, parts_key, "must be a mapping of names, each with keys of its own");
  }
  Cases cases;
  for (auto const& [name, part] : parts.entries) {
    if (part.kind != Node::Kind::mapping) fail(part, name, concat("a part is a mapping, found ", describe(part)));
    auto const more = cases_of(part, "", false);
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

Cases cases_of(Node const& mapping, std::string const& prefix, bool may_have_parts) {
  Cases cases{{}};
  for (auto const& [key, node] : mapping.entries) {
    auto const path = join(prefix, key);
    bool const is_parts = may_have_parts && path == parts_key;
    bool const is_section = !is_parts && node.kind == Node::Kind::mapping && !is_grid(node);
    if (!is_parts && !is_section && path.find('.') == std::string::npos) {
      fail(node, path, "name the key with its section, such as tuner.sigma");
    }
    cases = product(std::move(cases),
                    is_parts     ? parts_of(node)
                    : is_section ? cases_of(node, path, false)
                                 : axis(path, node),
                    node);
  }
  return cases;
}

void check_keys(Case const& one) {
  std::set<std::string> paths;
  for (auto const& [path, value, location] : one) {
    require_input(paths.insert(path).second, location, ": sweep: ", path, ": is swept twice");
    require_input(path.rfind("output.directory", 0) != 0 && path.rfind("sweep", 0) != 0, location, ": sweep: ", path,
                  ": cannot be swept; each case has a directory of its own below output.directory");
  }
}

}  // namespace

std::vector<std::vector<Assignment>> Deck::cases() const {
  Node const* const sweep = m_tree->find("sweep");
  if (sweep == nullptr || sweep->entries.empty()) return {};
  auto cases = cases_of(*sweep, "", true);
  for (auto const& one : cases) check_keys(one);
  return cases;
}

Deck Deck::of_case(std::vector<Assignment> const& assignments) const {
  Deck deck(std::make_shared<Tree>(m_tree->without("sweep")));
  deck.apply(assignments);
  return deck;
}

void Deck::apply(std::vector<Assignment> const& assignments) {
  for (auto const& [path, value, location] : assignments) {
    Node const* const present = m_tree->find(path);
    require_input(present == nullptr || present->location != command_line, command_line, ": ", path,
                  ": the sweep sets this key (", location, "); change sweep.", path, " instead");
    set(path, value, location, path + "=" + value);
  }
}

}  // namespace onedge::config
