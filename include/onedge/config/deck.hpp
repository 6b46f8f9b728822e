#pragma once
// An input deck: a typed tree of keys with line numbers. Knows no section of its own; each folder binds its own keys.
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onedge::config {

/// The values a number may take; an open end excludes the bound itself.
struct Limits {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool open_minimum = false;
  bool open_maximum = false;
};
inline constexpr Limits positive{0.0, std::numeric_limits<double>::infinity(), true, false};
inline constexpr Limits non_negative{0.0};
inline constexpr Limits at_least_one{1.0};
inline constexpr Limits unit_interval_open_above{0.0, 1.0, false, true};

/// One row of the key reference.
struct KeyDescription {
  std::string path;           // "tuner.sigma"
  std::string type;           // "number", "integer", "boolean", "text", "list of integers", …, "one of a, b, c"
  std::string range;          // "> 0 and <= 1", or empty
  std::string default_value;  // as YAML writes it; "required" where there is none, "none" for bind_optional
  std::string condition;      // "kind: cdat", or empty: valid always
  std::string meaning;
};

/// One key that a case of a sweep sets.
struct Assignment {
  std::string path;      // "tuner.sigma"
  std::string value;     // as YAML writes it
  std::string location;  // "deck.yaml:12"
};

class Tree;  // shared state of a deck and of its sections

/// A mapping of the deck. Binding a key reads it when it is there, checks it, and records it with its default, so that
/// the written deck is complete and what was never bound is known to be unknown. All errors are InputError and name the
/// key, the file and the line.
class Section {
 public:
  Section(std::shared_ptr<Tree> tree, std::string path, std::string condition = {});

  /// `value` holds the default and receives what the deck says.
  void bind(std::string_view key, bool& value, std::string_view meaning);
  void bind(std::string_view key, std::int64_t& value, std::string_view meaning, Limits limits = {});
  void bind(std::string_view key, double& value, std::string_view meaning, Limits limits = {});
  void bind(std::string_view key, std::string& value, std::string_view meaning);
  void bind(std::string_view key, std::vector<std::int64_t>& value, std::string_view meaning, Limits limits = {});
  void bind(std::string_view key, std::vector<double>& value, std::string_view meaning, Limits limits = {});
  /// Without a default: absent is an error.
  void require(std::string_view key, double& value, std::string_view meaning, Limits limits = {});
  void require(std::string_view key, std::string& value, std::string_view meaning);
  /// A word out of a fixed set; a misspelt one is answered with the nearest.
  void choose(std::string_view key, std::string& value, std::vector<std::string> const& choices,
              std::string_view meaning);
  /// A list of such words, at least one.
  void choose(std::string_view key, std::vector<std::string>& values, std::vector<std::string> const& choices,
              std::string_view meaning);
  /// An integer, or one fixed word, which `value` holds as `word_value` (micro_batch: auto).
  void bind_or_word(std::string_view key, std::int64_t& value, std::string_view word, std::int64_t word_value,
                    std::string_view meaning, Limits limits = {});
  /// A number that may be left out; NaN stands for "not given" and is not written.
  void bind_optional(std::string_view key, double& value, std::string_view meaning, Limits limits = {});

  /// The mapping under a key (empty when absent).
  Section section(std::string_view key);
  /// Accepts whatever this section holds (the names in it are not ours: sweep) and returns it as YAML, one line for
  /// each entry, keys as typed ("tuner.sigma: [1.0, 2.0]"); empty when absent. It is no part of Deck::resolved().
  std::string free_form();
  /// The same mapping, sharing everything; keys bound through it are documented as valid under a condition ("kind:
  /// cdat").
  Section when(std::string condition) const;
  /// Whether the deck itself holds the key.
  bool given(std::string_view key) const;
  /// True while the key reference is made rather than a deck read: then every kind binds its keys.
  bool documenting() const;
  /// Throws InputError: "FILE:LINE: section.key: MESSAGE"; the section's own line where the deck lacks the key.
  [[noreturn]] void fail(std::string_view key, std::string const& message) const;

 private:
  template <class T>
  void bind_value(std::string_view key, T& value, std::string_view meaning, Limits const& limits);
  template <class T>
  void require_value(std::string_view key, T& value, std::string_view meaning, Limits const& limits);
  std::string path_of(std::string_view key) const;
  void check_choice(std::string_view key, std::string const& word, std::vector<std::string> const& choices) const;
  void record(std::string_view key, std::string const& type, Limits const& limits, std::string default_value,
              std::string_view meaning, std::string const& text);

  std::shared_ptr<Tree> m_tree;
  std::string m_path;
  std::string m_condition;
};

/// The most bytes that the text of a deck may have: people write some thousand.
inline constexpr std::size_t largest_text = std::size_t{1} << 20;
/// Throws InputError for more; `name` stands for the file.
void require_deck_size(std::size_t bytes, std::string const& name);
/// The text of a deck. Throws InputError where it cannot be read, or is too large.
std::string read_text(std::istream& stream, std::string const& name);

class Deck {
 public:
  /// From a file; throws InputError when it cannot be read or is not a YAML mapping of mappings.
  static Deck from_file(std::string const& path);
  /// From text; `name` stands for the file in messages. An empty text is an error, "{}" is not.
  static Deck from_text(std::string const& text, std::string const& name);
  /// No deck at all, for the key reference: every section documents.
  static Deck for_documentation();

  /// "section.key=value", the value in YAML, the path of any depth; adds or replaces. Messages name it as "command
  /// line". Throws InputError when it has another form.
  void override_with(std::string const& assignment);
  /// The cases of section `sweep`, in order, and what each of them sets; none without a sweep. The form: docs/keys.md.
  std::vector<std::vector<Assignment>> cases() const;
  /// Sets what a case sets. Throws InputError when the command line has set one of these keys.
  void apply(std::vector<Assignment> const& assignments);
  /// The deck of one case: this one without its sweep, and with what the case sets. Cheap next to reading a text.
  Deck of_case(std::vector<Assignment> const& assignments) const;
  Section root() const;
  /// Throws InputError for the first key that nobody bound, with its line and the nearest key that exists there.
  void check_all_known() const;
  /// Every bound key with its value, in binding order, as YAML; floats carry a dot (1.0e-05, not 1e-05).
  std::string resolved() const;
  /// The path of every bound key with its value as YAML writes it, in binding order.
  std::vector<std::pair<std::string, std::string>> values() const;
  /// One row for each bound key, in binding order.
  std::vector<KeyDescription> const& keys() const;

 private:
  explicit Deck(std::shared_ptr<Tree> tree);
  void set(std::string const& path, std::string const& value, std::string const& location,
           std::string const& assignment);

  std::shared_ptr<Tree> m_tree;
};

}  // namespace onedge::config
