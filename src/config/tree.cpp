#include "tree.hpp"

#include <onedge/core/error.hpp>

#include <algorithm>

#include "write_yaml.hpp"

namespace onedge::config {

namespace {

/// The part before the first dot, and what follows it.
std::pair<std::string, std::string> split(std::string const& path) {
  auto const dot = path.find('.');
  if (dot == std::string::npos) return {path, ""};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

/// A mapping on its way out: either a value or children.
struct Output {
  std::string name;
  std::string text;
  std::vector<Output> children;

  Output& child(std::string const& key) {
    for (auto& existing : children) {
      if (existing.name == key) return existing;
    }
    return children.emplace_back(Output{key, "", {}});
  }

  void put(std::string const& path, std::string const& value) {
    auto const [head, rest] = split(path);
    if (rest.empty()) {
      child(head).text = value;
    } else {
      child(head).put(rest, value);
    }
  }

  void write(std::string& out, std::string const& indentation) const {
    for (auto const& entry : children) {
      out += indentation + write_yaml(entry.name) + ":";
      if (entry.children.empty()) {
        out += " " + entry.text + "\n";
      } else {
        out += "\n";
        entry.write(out, indentation + "  ");
      }
    }
  }
};

}  // namespace

std::string join(std::string const& path, std::string_view key) {
  if (path.empty() || key.empty()) return path + std::string(key);
  return path + "." + std::string(key);
}

Tree::Tree(Node root, std::string name, bool documenting)
    : m_root(std::move(root)), m_name(std::move(name)), m_documenting(documenting) {}

Tree Tree::without(std::string const& section) const {
  Node root;
  root.kind = m_root.kind;
  root.location = m_root.location;
  for (auto const& entry : m_root.entries) {
    if (entry.key != section) root.entries.push_back(entry);
  }
  return {std::move(root), m_name, m_documenting};
}

Node const* Tree::find(std::string const& path) const {
  Node const* node = &m_root;
  for (std::string rest = path; node != nullptr && !rest.empty();) {
    auto const [head, tail] = split(rest);
    node = node->find(head);
    rest = tail;
  }
  return node;
}

std::string Tree::where(std::string const& path) const {
  for (std::string nearest = path; !nearest.empty();) {
    if (Node const* const node = find(nearest)) return node->location;
    auto const dot = nearest.rfind('.');
    nearest.erase(dot == std::string::npos ? 0 : dot);
  }
  return m_name;
}

void Tree::set(std::string const& path, Node value, std::string const& assignment) {
  Node* node = &m_root;
  for (std::string rest = path; !rest.empty();) {
    require_input(node->kind == Node::Kind::mapping || node->kind == Node::Kind::null, value.location, ": '",
                  assignment, "': what it wants to enter is ", describe(*node), " (", node->location,
                  "), not a section");
    node->kind = Node::Kind::mapping;
    // Free-form sections hold keys with dots in them (sweep: {tuner.sigma: …}).
    auto [head, tail] = node->find(rest) != nullptr ? std::pair<std::string, std::string>(rest, "") : split(rest);
    Node* next = node->find(head);
    if (next == nullptr) {
      node->entries.push_back({head, Node{}});
      next = &node->entries.back().value;
      next->location = value.location;
    }
    node = next;
    rest = tail;
  }
  *node = std::move(value);
}

void Tree::record(KeyDescription description, std::string const& text) {
  for (std::size_t i = 0; i < m_keys.size(); ++i) {
    if (m_keys[i].path == description.path && m_keys[i].condition == description.condition) {
      m_keys[i] = std::move(description);
      m_texts[i] = text;
      return;
    }
  }
  m_keys.push_back(std::move(description));
  m_texts.push_back(text);
}

void Tree::check_all_known() const { check_known(m_root, ""); }

void Tree::check_known(Node const& mapping, std::string const& path) const {
  for (auto const& [key, value] : mapping.entries) {
    auto const inner = join(path, key);
    bool const plain = key.find('.') == std::string::npos;  // no key of ours has a dot
    if (plain && m_free.count(inner) > 0) continue;
    if (plain && m_sections.count(inner) > 0) {
      check_known(value, inner);
      continue;
    }
    bool const bound =
        std::any_of(m_keys.begin(), m_keys.end(), [&](auto const& known) { return known.path == inner; });
    if (!plain || !bound) fail_unknown(key, value, path);
  }
}

void Tree::fail_unknown(std::string const& key, Node const& value, std::string const& path) const {
  auto const what = path.empty() ? std::string("unknown section") : "unknown key of section " + path;
  auto const lead = path.empty() ? std::string("the sections are") : "its keys here are";
  throw InputError(
      concat(value.location, ": ", shortened(join(path, key)), ": ", what, suggestion(key, known_keys(path), lead)));
}

std::vector<std::string> Tree::known_keys(std::string const& path) const {
  std::vector<std::string> names;
  auto const add = [&](std::string const& known) {
    if (known.empty() || (!path.empty() && known.rfind(path + ".", 0) != 0)) return;
    auto const name = split(path.empty() ? known : known.substr(path.size() + 1)).first;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (auto const& key : m_keys) add(key.path);
  for (auto const& section : m_sections) add(section);
  for (auto const& section : m_free) add(section);
  return names;
}

std::string Tree::resolved() const {
  Output root;
  for (std::size_t i = 0; i < m_keys.size(); ++i) {
    if (!m_texts[i].empty()) root.put(m_keys[i].path, m_texts[i]);
  }
  std::string text;
  root.write(text, "");
  return text.empty() ? "{}\n" : text;
}

std::vector<std::pair<std::string, std::string>> Tree::values() const {
  std::vector<std::pair<std::string, std::string>> result;
  for (std::size_t i = 0; i < m_keys.size(); ++i) result.emplace_back(m_keys[i].path, m_texts[i]);
  return result;
}

}  // namespace onedge::config
