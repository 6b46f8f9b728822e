#pragma once
// What a deck says, as our own tree: yaml-cpp's nodes stay inside read_yaml.cpp.
#include <string>
#include <string_view>
#include <vector>

namespace onedge::config {

/// One value of a deck, with where it came from.
struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  struct Entry;

  Kind kind = Kind::null;
  std::string text;      // of a scalar
  bool quoted = false;   // a quoted scalar is text, never a number
  std::string location;  // "deck.yaml:12", or "command line"
  std::vector<Node> items;
  std::vector<Entry> entries;  // in the order of the deck; keys are unique

  Node* find(std::string_view key);
  Node const* find(std::string_view key) const;
};

/// One key of a mapping.
struct Node::Entry {
  std::string key;
  Node value;
};

/// The single document in `text`. Locations are "name:line", or just `name` when `with_lines` is false. Throws
/// InputError for anything but plain YAML with unique text keys.
Node read_yaml(std::string const& text, std::string const& name, bool with_lines = true);

/// Its beginning, where a text is too long for a message.
std::string shortened(std::string const& text);

/// "a mapping", "a list", "nothing" or the scalar itself in quotes, for messages.
std::string describe(Node const& node);

}  // namespace onedge::config
