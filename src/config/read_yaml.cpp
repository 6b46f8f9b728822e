// From YAML text to Node: the only file that sees yaml-cpp, so that none of its exceptions gets away.
#include <onedge/config/deck.hpp>
#include <onedge/core/error.hpp>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <unordered_map>

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
      std::unordered_map<std::string, std::string> places;
      for (auto const& entry : source) add_entry(node, places, entry.first, entry.second, depth);
    }
    return node;
  }

 private:
  /// `places`: where the keys of this mapping stand.
  void add_entry(Node& node, std::unordered_map<std::string, std::string>& places, YAML::Node const& key,
                 YAML::Node const& value, int depth) {
    require_input(key.IsScalar() && !key.Scalar().empty(), key.IsNull() ? node.location : location(key.Mark()),
                  ": a key must be a word");
    auto const where = location(key.Mark());
    auto const [first, is_new] = places.emplace(key.Scalar(), where);
    require_input(is_new, where, ": ", shortened(key.Scalar()), ": given twice in the same mapping (first at ",
                  first->second, ")");
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

void require_deck_size(std::size_t bytes, std::string const& name) {
  require_input(bytes <= largest_text, name, ": holds more than ", largest_text, " bytes, too many for a deck");
}

Node read_yaml(std::string const& text, std::string const& name, bool with_lines) {
  require_deck_size(text.size(), name);
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
      return (node.quoted ? "the text '" : "'") + shortened(node.text) + "'";
  }
}

std::string shortened(std::string const& text) {
  constexpr std::size_t longest = 120;
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "…";
}

}  // namespace onedge::config
