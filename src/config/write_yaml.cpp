#include "write_yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace onedge::config {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_harmless(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '/' || c == '+' || c == '-';
}

// What YAML 1.1 and 1.2 readers take for booleans, nulls and numbers, in any mix of cases.
bool is_reserved(std::string text) {
  static constexpr std::array words = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "inf", "nan"};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string single_quoted(std::string const& value) {
  std::string text = "'";
  for (char const c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
  return text + "'";
}

std::string double_quoted(std::string const& value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "\"";
  for (char const c : value) {
    if (c == '"' || c == '\\') {
      text += {'\\', c};
    } else if (is_control(c)) {
      text += {'\\', 'x', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
    } else {
      text += c;
    }
  }
  return text + "\"";
}

std::string quoted(std::string const& value) {
  return std::any_of(value.begin(), value.end(), is_control) ? double_quoted(value) : single_quoted(value);
}

}  // namespace

std::string write_yaml(bool value) { return value ? "true" : "false"; }

std::string write_yaml(std::int64_t value) { return std::to_string(value); }

std::string write_yaml(double value) {
  std::array<char, 32> buffer;
  auto const end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

std::string write_yaml(std::string const& value) {
  bool const plain = !value.empty() && (is_letter(value[0]) || value[0] == '_' || value[0] == '/') &&
                     std::all_of(value.begin(), value.end(), is_harmless) && !is_reserved(value);
  return plain ? value : quoted(value);
}

std::string write_yaml(Node const& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::sequence:
      return write_yaml(node.items);
    case Node::Kind::mapping: {
      std::string text = "{";
      for (auto const& [key, value] : node.entries) {
        text += (text.size() == 1 ? "" : ", ") + write_yaml(key) + ": " + write_yaml(value);
      }
      return text + "}";
    }
    default:
      // A plain scalar may be a number or a boolean: it stays as it was typed.
      bool const as_typed = !node.quoted && std::all_of(node.text.begin(), node.text.end(), is_harmless) &&
                            node.text.find_first_not_of("-.") != std::string::npos;
      return as_typed ? node.text : quoted(node.text);
  }
}

}  // namespace onedge::config
