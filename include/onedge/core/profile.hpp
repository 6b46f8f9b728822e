#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace onedge {

/// Where the time goes: listens to the regions that are pushed and popped (ScopedRegion, Kokkos::Profiling::pushRegion)
/// for the life of the object. One at a time per process. A profiling tool that Kokkos has loaded hears them as well.
/// On a device every region begins and ends with a fence, so that its time is its own: steps take longer than without.
class Profile {
 public:
  struct Region {
    std::string path;  ///< names from the outermost region on, separated by " > "
    std::string name;  ///< the last of them
    std::int64_t calls = 0;
    double seconds = 0;      ///< what is spent in regions within included
    double own_seconds = 0;  ///< what is spent in regions within left out
  };

  Profile();
  ~Profile();
  Profile(Profile const&) = delete;
  Profile& operator=(Profile const&) = delete;

  /// Every region that was left so far, in the order of their first calls, the outer one before those within.
  std::vector<Region> regions() const;

  void push(char const* name);
  void pop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Node {
    std::string name;
    std::size_t parent;
    std::vector<std::size_t> children;
    std::int64_t calls = 0;
    double seconds = 0;
    Clock::time_point begin;
  };
  void add_regions(std::size_t index, std::string const& path, std::vector<Region>& regions) const;

  std::vector<Node> m_nodes;  // m_nodes[0] is the root, which has no name
  std::size_t m_current = 0;
};

}  // namespace onedge
