#pragma once
// What was odd about data that could be read all the same. Sources collect it, whoever opened them tells it, once.
#include <onedge/comm/communicator.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace onedge::data {

class Warnings {
 public:
  /// About a set as a whole. The same text again is the same warning.
  void add(std::string const& text);
  /// About a sample: one warning for each kind, which counts them and names the first by `detail`.
  void add(std::string const& kind, std::size_t sample, std::string const& detail);
  /// Takes over those of others, with their counts.
  void add(Warnings const& others);

  bool empty() const { return m_kinds.empty(); }
  /// One line for each, in alphabetical order.
  std::vector<std::string> texts() const;

  /// Those of all ranks together, on every rank. Collective.
  Warnings gathered(comm::Communicator const& communicator) const;

 private:
  struct Samples {
    std::size_t count = 0;  // 0: about the set as a whole
    std::size_t first = 0;
    std::string detail;  // of the first
  };
  void add(std::string const& kind, Samples const& samples);

  std::map<std::string, Samples> m_kinds;
};

}  // namespace onedge::data
