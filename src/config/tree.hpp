#pragma once
// The shared state of a deck and of its sections: what the deck says, and what has been bound of it.
#include <onedge/config/deck.hpp>

#include <set>
#include <string>
#include <vector>

#include "node.hpp"

namespace onedge::config {

/// The location of what the command line says.
inline constexpr char command_line[] = "command line";

class Tree {
 public:
  Tree(Node root, std::string name, bool documenting);

  /// The same tree but for this section, with nothing bound yet.
  Tree without(std::string const& section) const;

  bool documenting() const { return m_documenting; }
  /// What the deck says at a path; null pointer where it says nothing.
  Node const* find(std::string const& path) const;
  /// "deck.yaml:12" of a path, or of its nearest parent that the deck holds.
  std::string where(std::string const& path) const;
  /// Puts a value at a path, making sections on the way. `assignment` is for messages.
  void set(std::string const& path, Node value, std::string const& assignment);

  void open_section(std::string const& path) { m_sections.insert(path); }
  void accept_all(std::string const& path) { m_free.insert(path); }
  /// `text` is the value as YAML, empty where it is not to be written.
  void record(KeyDescription description, std::string const& text);

  void check_all_known() const;
  std::string resolved() const;
  std::vector<std::pair<std::string, std::string>> values() const;
  std::vector<KeyDescription> const& keys() const { return m_keys; }

 private:
  void check_known(Node const& mapping, std::string const& path) const;
  [[noreturn]] void fail_unknown(std::string const& key, Node const& value, std::string const& path) const;
  std::vector<std::string> known_keys(std::string const& path) const;

  Node m_root;
  std::string m_name;
  bool m_documenting;
  std::set<std::string> m_sections = {""};
  std::set<std::string> m_free;
  std::vector<KeyDescription> m_keys;
  std::vector<std::string> m_texts;  // of m_keys
};

/// `key` inside `path`, either of which may be empty.
std::string join(std::string const& path, std::string_view key);

/// "; did you mean X?" when one of the names is near, otherwise "; LEAD X, Y, Z".
std::string suggestion(std::string const& word, std::vector<std::string> const& names, std::string const& lead);

}  // namespace onedge::config
