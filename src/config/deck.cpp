#include <onedge/config/deck.hpp>
#include <onedge/core/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tree.hpp"

namespace onedge::config {

namespace {

constexpr std::ptrdiff_t deepest_override = 15;

void relocate(Node& node, std::string const& location) {
  node.location = location;
  for (auto& item : node.items) relocate(item, location);
  for (auto& [key, value] : node.entries) relocate(value, location);
}

bool is_path(std::string const& text) {
  return text.find_first_of(" \t\r\n:[]{},") == std::string::npos && text.find('.') != std::string::npos &&
         text.find("..") == std::string::npos && text.front() != '.' && text.back() != '.' &&
         std::count(text.begin(), text.end(), '.') <= deepest_override;
}

}  // namespace

Deck::Deck(std::shared_ptr<Tree> tree) : m_tree(std::move(tree)) {}

Deck Deck::from_file(std::string const& path) {
  std::error_code ignored;
  require_input(!std::filesystem::is_directory(path, ignored), path, ": is a directory, not a deck");
  std::ifstream file(path, std::ios::binary);
  require_input(file.good(), path, ": cannot be opened");
  return from_text(read_text(file, path), path);
}

std::string read_text(std::istream& stream, std::string const& name) {
  std::string text(largest_text + 1, '\0');  // a device may have no end
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  require_input(!stream.bad() && (stream.eof() || stream.good()), name, ": cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  require_deck_size(text.size(), name);
  return text;
}

Deck Deck::from_text(std::string const& text, std::string const& name) {
  Node root = read_yaml(text, name);
  require_input(root.kind != Node::Kind::null, name, ": is empty; a deck holds sections such as run: {name: first}");
  require_input(root.kind == Node::Kind::mapping, root.location, ": a deck is a mapping of sections, found ",
                describe(root));
  for (auto const& [key, value] : root.entries) {
    require_input(value.kind == Node::Kind::mapping || value.kind == Node::Kind::null, value.location, ": ", key,
                  ": a section holds a mapping (", key, ": {key: value}), found ", describe(value));
  }
  return Deck(std::make_shared<Tree>(std::move(root), name, false));
}

Deck Deck::for_documentation() { return Deck(std::make_shared<Tree>(Node{}, "documentation", true)); }

void Deck::override_with(std::string const& assignment) {
  auto const equals = assignment.find('=');
  auto const path = assignment.substr(0, std::min(equals, assignment.size()));
  require_input(equals != std::string::npos && !path.empty() && is_path(path), command_line, ": '", assignment,
                "': an override has the form section.key=value");
  set(path, assignment.substr(equals + 1), command_line, assignment);
}

void Deck::set(std::string const& path, std::string const& value, std::string const& location,
               std::string const& assignment) {
  Node node = read_yaml(value, concat(location, ": '", assignment, "'"), false);
  require_input(node.kind != Node::Kind::null, location, ": '", assignment, "': has no value");
  relocate(node, location);
  m_tree->set(path, std::move(node), assignment);
}

Section Deck::root() const { return Section(m_tree, ""); }

void Deck::check_all_known() const { m_tree->check_all_known(); }

std::string Deck::resolved() const { return m_tree->resolved(); }

std::vector<KeyDescription> const& Deck::keys() const { return m_tree->keys(); }

std::vector<std::pair<std::string, std::string>> Deck::values() const { return m_tree->values(); }

}  // namespace onedge::config
