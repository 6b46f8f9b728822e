#include <algorithm>
#include <numeric>

#include "tree.hpp"

namespace onedge::config {

namespace {

/// Levenshtein's distance: insertions, deletions and replacements of one character.
std::size_t edit_distance(std::string const& a, std::string const& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t const replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string const& word, std::vector<std::string> const& names, std::string const& lead) {
  if (names.empty()) return "";
  std::size_t const longest_sensible = 64;
  std::size_t nearest = longest_sensible;
  std::string best;
  for (auto const& name : names) {
    if (word.size() > longest_sensible) break;
    auto const distance = edit_distance(word, name);
    if (distance < nearest) {
      nearest = distance;
      best = name;
    }
  }
  if (nearest <= 1 + word.size() / 4) return "; did you mean " + best + "?";
  std::string text = "; " + lead;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? " " : ", ") + names[i];
  return text;
}

}  // namespace onedge::config
