// Binding: one reader for each type, all else shared.
#include <onedge/config/deck.hpp>
#include <onedge/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "tree.hpp"
#include "write_yaml.hpp"

namespace onedge::config {

namespace {

[[noreturn]] void fail_at(Node const& node, std::string const& path, std::string const& message) {
  throw InputError(concat(node.location, ": ", path, ": ", message));
}

std::string write_bound(double bound) {
  return bound == std::floor(bound) && std::abs(bound) < 1e15 ? std::to_string(static_cast<std::int64_t>(bound))
                                                              : write_yaml(bound);
}

std::string write_range(Limits const& limits) {
  std::string text;
  if (std::isfinite(limits.minimum)) text = (limits.open_minimum ? "> " : ">= ") + write_bound(limits.minimum);
  if (std::isfinite(limits.maximum)) {
    text +=
        (text.empty() ? "" : " and ") + std::string(limits.open_maximum ? "< " : "<= ") + write_bound(limits.maximum);
  }
  return text;
}

void check_range(Node const& node, std::string const& path, double value, Limits const& limits) {
  bool const above = limits.open_minimum ? value > limits.minimum : value >= limits.minimum;
  bool const below = limits.open_maximum ? value < limits.maximum : value <= limits.maximum;
  if (!above || !below) fail_at(node, path, concat("must be ", write_range(limits), ", found ", shortened(node.text)));
}

/// The whole text as a number, in C's locale; nothing when it is none, or lies beyond T.
template <class T>
std::optional<T> parse(std::string_view text, bool& beyond) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const whole = end == text.data() + text.size();
  beyond = whole && code == std::errc::result_out_of_range;
  if (code != std::errc() || !whole || text.empty()) return std::nullopt;
  return value;
}

[[noreturn]] void fail_type(Node const& node, std::string const& path, std::string const& expected) {
  if (node.kind == Node::Kind::null) fail_at(node, path, "has no value; it must be " + expected);
  fail_at(node, path, concat("must be ", expected, ", found ", describe(node)));
}

bool is_plain(Node const& node) { return node.kind == Node::Kind::scalar && !node.quoted; }

double read_number(Node const& node, std::string const& path, Limits const& limits) {
  bool beyond = false;
  auto const value = is_plain(node) ? parse<double>(node.text, beyond) : std::nullopt;
  if (beyond) fail_at(node, path, shortened(node.text) + " is beyond what a double holds");
  if (value && !std::isfinite(*value)) fail_type(node, path, "a finite number");
  if (!value) fail_type(node, path, "a number");
  check_range(node, path, *value, limits);
  return *value;
}

/// The literal, or a form such as 1.0e+3 whose value is exactly an integer.
std::int64_t read_integer(Node const& node, std::string const& path, Limits const& limits,
                          std::string const& expected) {
  bool beyond = false;
  auto value = is_plain(node) ? parse<std::int64_t>(node.text, beyond) : std::nullopt;
  if (beyond) fail_at(node, path, shortened(node.text) + " is beyond what a 64-bit integer holds");
  if (!value && is_plain(node)) {
    auto const number = parse<double>(node.text, beyond);
    constexpr double largest_exact = 0x1p53;
    if (number && std::abs(*number) <= largest_exact && *number == std::floor(*number)) {
      value = static_cast<std::int64_t>(*number);
    }
  }
  if (!value) fail_type(node, path, expected);
  check_range(node, path, static_cast<double>(*value), limits);
  return *value;
}

void read(Node const& node, std::string const& path, bool& value, Limits const&) {
  if (!is_plain(node) || (node.text != "true" && node.text != "false")) fail_type(node, path, "true or false");
  value = node.text == "true";
}

void read(Node const& node, std::string const& path, std::int64_t& value, Limits const& limits) {
  value = read_integer(node, path, limits, "an integer");
}

void read(Node const& node, std::string const& path, double& value, Limits const& limits) {
  value = read_number(node, path, limits);
}

void read(Node const& node, std::string const& path, std::string& value, Limits const&) {
  if (node.kind != Node::Kind::scalar) fail_type(node, path, "text");
  value = node.text;
}

template <class T>
void read(Node const& node, std::string const& path, std::vector<T>& value, Limits const& limits) {
  if (node.kind != Node::Kind::sequence) {
    fail_type(node, path,
              std::is_integral_v<T> ? "a list of integers such as [256, 256]" : "a list of numbers such as [1.0, 2.0]");
  }
  std::vector<T> items(node.items.size());
  for (std::size_t i = 0; i < items.size(); ++i) read(node.items[i], concat(path, "[", i, "]"), items[i], limits);
  value = std::move(items);
}

template <class T>
constexpr char const* type_name = nullptr;
template <>
constexpr char const* type_name<bool> = "boolean";
template <>
constexpr char const* type_name<std::int64_t> = "integer";
template <>
constexpr char const* type_name<double> = "number";
template <>
constexpr char const* type_name<std::string> = "text";
template <>
constexpr char const* type_name<std::vector<std::int64_t>> = "list of integers";
template <>
constexpr char const* type_name<std::vector<double>> = "list of numbers";

std::string joined(std::vector<std::string> const& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : ", ") + words[i];
  return text;
}

}  // namespace

Section::Section(std::shared_ptr<Tree> tree, std::string path, std::string condition)
    : m_tree(std::move(tree)), m_path(std::move(path)), m_condition(std::move(condition)) {}

std::string Section::path_of(std::string_view key) const { return join(m_path, key); }

void Section::record(std::string_view key, std::string const& type, Limits const& limits, std::string default_value,
                     std::string_view meaning, std::string const& text) {
  m_tree->record({path_of(key), type, write_range(limits), std::move(default_value), m_condition, std::string(meaning)},
                 text);
}

template <class T>
void Section::bind_value(std::string_view key, T& value, std::string_view meaning, Limits const& limits) {
  auto const default_value = write_yaml(value);
  if (auto const* const node = m_tree->find(path_of(key))) read(*node, path_of(key), value, limits);
  record(key, type_name<T>, limits, default_value, meaning, write_yaml(value));
}

template <class T>
void Section::require_value(std::string_view key, T& value, std::string_view meaning, Limits const& limits) {
  if (auto const* const node = m_tree->find(path_of(key))) {
    read(*node, path_of(key), value, limits);
  } else if (!documenting()) {
    fail(key, concat("is required (", meaning, ")"));
  }
  record(key, type_name<T>, limits, "required", meaning, write_yaml(value));
}

void Section::bind(std::string_view key, bool& value, std::string_view meaning) {
  bind_value(key, value, meaning, Limits{});
}
void Section::bind(std::string_view key, std::int64_t& value, std::string_view meaning, Limits limits) {
  bind_value(key, value, meaning, limits);
}
void Section::bind(std::string_view key, double& value, std::string_view meaning, Limits limits) {
  bind_value(key, value, meaning, limits);
}
void Section::bind(std::string_view key, std::string& value, std::string_view meaning) {
  bind_value(key, value, meaning, Limits{});
}
void Section::bind(std::string_view key, std::vector<std::int64_t>& value, std::string_view meaning, Limits limits) {
  bind_value(key, value, meaning, limits);
}
void Section::bind(std::string_view key, std::vector<double>& value, std::string_view meaning, Limits limits) {
  bind_value(key, value, meaning, limits);
}
void Section::require(std::string_view key, double& value, std::string_view meaning, Limits limits) {
  require_value(key, value, meaning, limits);
}
void Section::require(std::string_view key, std::string& value, std::string_view meaning) {
  require_value(key, value, meaning, Limits{});
}

void Section::check_choice(std::string_view key, std::string const& word,
                           std::vector<std::string> const& choices) const {
  if (std::find(choices.begin(), choices.end(), word) != choices.end()) return;
  fail(key, "unknown value '" + shortened(word) + "'" + suggestion(word, choices, "the choices are"));
}

void Section::choose(std::string_view key, std::string& value, std::vector<std::string> const& choices,
                     std::string_view meaning) {
  auto const default_value = write_yaml(value);
  if (auto const* const node = m_tree->find(path_of(key))) {
    std::string word;
    read(*node, path_of(key), word, Limits{});
    check_choice(key, word, choices);
    value = word;
  }
  record(key, "one of " + joined(choices), Limits{}, default_value, meaning, write_yaml(value));
}

void Section::choose(std::string_view key, std::vector<std::string>& values, std::vector<std::string> const& choices,
                     std::string_view meaning) {
  auto const written = [&] { return concat('[', joined(values), ']'); };
  auto const default_value = written();
  if (auto const* const node = m_tree->find(path_of(key))) {
    if (node->kind != Node::Kind::sequence || node->items.empty()) {
      fail_type(*node, path_of(key), "a list such as [" + choices.front() + "]");
    }
    std::vector<std::string> words(node->items.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      read(node->items[i], concat(path_of(key), "[", i, "]"), words[i], Limits{});
      check_choice(key, words[i], choices);
    }
    values = std::move(words);
  }
  record(key, "list of " + joined(choices), Limits{}, default_value, meaning, written());
}

void Section::bind_or_word(std::string_view key, std::int64_t& value, std::string_view word, std::int64_t word_value,
                           std::string_view meaning, Limits limits) {
  auto const written = [&](std::int64_t v) { return v == word_value ? std::string(word) : write_yaml(v); };
  auto const default_value = written(value);
  if (auto const* const node = m_tree->find(path_of(key))) {
    if (node->kind == Node::Kind::scalar && node->text == word) {
      value = word_value;
    } else {
      auto const number = read_integer(*node, path_of(key), limits, concat("an integer or ", word));
      // The word's own value is not for decks to write.
      if (number == word_value) fail(key, concat("must be an integer other than ", number, ", or ", word));
      value = number;
    }
  }
  record(key, concat("integer or ", word), limits, default_value, meaning, written(value));
}

void Section::bind_optional(std::string_view key, double& value, std::string_view meaning, Limits limits) {
  auto const written = [](double v) { return std::isnan(v) ? std::string() : write_yaml(v); };
  auto const default_value = std::isnan(value) ? std::string("none") : write_yaml(value);
  if (auto const* const node = m_tree->find(path_of(key))) read(*node, path_of(key), value, limits);
  record(key, "number", limits, default_value, meaning, written(value));
}

Section Section::section(std::string_view key) {
  auto const path = path_of(key);
  if (auto const* const node = m_tree->find(path)) {
    if (node->kind != Node::Kind::mapping && node->kind != Node::Kind::null) {
      fail_at(*node, path, concat("must be a mapping (", key, ": {key: value}), found ", describe(*node)));
    }
  }
  m_tree->open_section(path);
  return Section(m_tree, path, m_condition);
}

std::string Section::free_form() {
  m_tree->accept_all(m_path);
  auto const* const node = m_tree->find(m_path);
  std::string text;
  if (node == nullptr) return text;
  for (auto const& [key, value] : node->entries) text += write_yaml(key) + ": " + write_yaml(value) + "\n";
  return text;
}

Section Section::when(std::string condition) const {
  return Section(m_tree, m_path, m_condition.empty() ? std::move(condition) : m_condition + ", " + condition);
}

bool Section::given(std::string_view key) const { return m_tree->find(path_of(key)) != nullptr; }

bool Section::documenting() const { return m_tree->documenting(); }

void Section::fail(std::string_view key, std::string const& message) const {
  throw InputError(concat(m_tree->where(path_of(key)), ": ", path_of(key), ": ", message));
}

}  // namespace onedge::config
