// From YAML text to Node: the only file that sees yaml-cpp, so that none of its exceptions gets away.
#include <onedge/core/error.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "node.hpp"

namespace onedge::config {

namespace {

// Aliases can make a small text an endless (or exponentially large) tree.
constexpr int deepest = 32;
constexpr std::size_t most_nodes = 100000;

class Converter {
 public:
  Converter(std::string const& name, bool with_lines) : m_name(name), m_with_lines(with_lines) {}

  std::string location(YAML::Mark const& mark) const {
    if (!m_with_lines || mark.is_null()) return m_name;
    return concat(m_name, ":", mark.line + 1);
  }

  Node convert(YAML::Node const& source, std::string const& location, int depth) {
    require_input(depth <= deepest && ++m_nodes <= most_nodes, location, ": nested too deeply, or too large");
    Node node;
    node.location = location;
    if (source.IsScalar()) {
      node.kind = Node::Kind::scalar;
      node.text = source.Scalar();
      node.quoted = source.Tag() == "!" || source.Tag() == "tag:yaml.org,2002:str";
    } else if (source.IsSequence()) {
      node.kind = Node::Kind::sequence;
      for (auto const& item : source) {
        // The mark of an empty item is not to be relied on.
        node.items.push_back(convert(item, item.IsNull() ? location : this->location(item.Mark()), depth + 1));
      }
    } else if (source.IsMap()) {
      node.kind = Node::Kind::mapping;
      for (auto const& entry : source) add_entry(node, entry.first, entry.second, depth);
    }
    return node;
  }

 private:
  void add_entry(Node& node, YAML::Node const& key, YAML::Node const& value, int depth) {
    require_input(key.IsScalar() && !key.Scalar().empty(), key.IsNull() ? node.location : location(key.Mark()),
                  ": a key must be a word");
    auto const where = location(key.Mark());
    if (Node const* const first = node.find(key.Scalar())) {
      throw InputError(
          concat(where, ": ", key.Scalar(), ": given twice in the same mapping (first at ", first->location, ")"));
    }
    node.entries.push_back({key.Scalar(), convert(value, where, depth + 1)});
  }

  std::string m_name;
  bool m_with_lines;
  std::size_t m_nodes = 0;
};

/// Keeps only where documents start.
class DocumentStart : public YAML::EventHandler {
 public:
  YAML::Mark mark;

  void OnDocumentStart(YAML::Mark const& start) override { mark = start; }
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const&, YAML::anchor_t) override {}
  void OnAlias(YAML::Mark const&, YAML::anchor_t) override {}
  void OnScalar(YAML::Mark const&, std::string const&, YAML::anchor_t, std::string const&) override {}
  void OnSequenceStart(YAML::Mark const&, std::string const&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(YAML::Mark const&, std::string const&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// yaml-cpp takes what it cannot read after a document for another one: Load() ignores it, and LoadAll() never ends
/// when a text starts with a comma.
void require_one_document(std::string const& text, Converter const& converter) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  bool const is_one = !parser.HandleNextDocument(start) || !parser.HandleNextDocument(start);
  require_input(is_one, converter.location(start.mark), ": not valid YAML, or a second document; a deck is one");
}

}  // namespace

Node* Node::find(std::string_view key) {
  for (auto& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node const* Node::find(std::string_view key) const { return const_cast<Node*>(this)->find(key); }

Node read_yaml(std::string const& text, std::string const& name, bool with_lines) {
  Converter converter(name, with_lines);
  try {
    require_one_document(text, converter);
    auto const document = YAML::Load(text);
    return converter.convert(document, converter.location(document.Mark()), 0);
  } catch (YAML::Exception const& failure) {
    throw InputError(concat(converter.location(failure.mark), ": not valid YAML: ", failure.msg));
  }
}

std::string describe(Node const& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
    default:
      return node.quoted ? "the text '" + node.text + "'" : "'" + node.text + "'";
  }
}

}  // namespace onedge::config
