#pragma once
// Values as decks write them. What is written here reads back as the same value, here and in PyYAML.
#include <cstdint>
#include <string>
#include <vector>

#include "node.hpp"

namespace onedge::config {

std::string write_yaml(bool value);
std::string write_yaml(std::int64_t value);
/// The shortest digits that read back as the same number, always with a dot: PyYAML takes 1e-05 for text.
std::string write_yaml(double value);
/// Plain where no YAML reader could take it for anything but text, quoted otherwise.
std::string write_yaml(std::string const& value);
/// In flow form: {a: [1, 2], b: x}.
std::string write_yaml(Node const& node);

template <class T>
std::string write_yaml(std::vector<T> const& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + write_yaml(values[i]);
  return text + "]";
}

}  // namespace onedge::config
