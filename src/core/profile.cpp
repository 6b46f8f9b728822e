#include <onedge/core/error.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/core/profile.hpp>

#include <algorithm>

namespace onedge {

namespace {

// Kokkos' callbacks are plain functions, which find the listening object and the tool before it here.
struct Listening {
  Profile* profile = nullptr;
  Kokkos::Tools::Experimental::EventSet before;
};
Listening& listening() {
  static Listening instance;
  return instance;
}

void on_push(char const* name) {
  if (listening().before.push_region != nullptr) listening().before.push_region(name);
  listening().profile->push(name);
}

void on_pop() {
  listening().profile->pop();
  if (listening().before.pop_region != nullptr) listening().before.pop_region();
}

}  // namespace

Profile::Profile() : m_nodes(1) {
  namespace tools = Kokkos::Tools::Experimental;
  require(listening().profile == nullptr, "there is a profile already");
  listening() = {this, tools::get_callbacks()};
  tools::set_push_region_callback(on_push);
  tools::set_pop_region_callback(on_pop);
}

Profile::~Profile() {
  namespace tools = Kokkos::Tools::Experimental;
  tools::set_push_region_callback(listening().before.push_region);
  tools::set_pop_region_callback(listening().before.pop_region);
  listening() = {};
}

void Profile::push(char const* name) {
  Kokkos::fence();
  auto const& children = m_nodes[m_current].children;
  auto const known = std::find_if(children.begin(), children.end(), [&](auto i) { return m_nodes[i].name == name; });
  std::size_t index = m_nodes.size();
  if (known != children.end()) {
    index = *known;
  } else {
    m_nodes.push_back({name, m_current, {}, 0, 0, {}});
    m_nodes[m_current].children.push_back(index);
  }
  m_current = index;
  m_nodes[index].begin = Clock::now();
}

void Profile::pop() {
  if (m_current == 0) return;  // the end of a region that began before the profile
  Kokkos::fence();
  Node& node = m_nodes[m_current];
  node.seconds += std::chrono::duration<double>(Clock::now() - node.begin).count();
  ++node.calls;
  m_current = node.parent;
}

void Profile::add_regions(std::size_t index, std::string const& path, std::vector<Region>& regions) const {
  for (std::size_t const child : m_nodes[index].children) {
    Node const& node = m_nodes[child];
    if (node.calls == 0) continue;
    double within = 0;
    for (std::size_t const inner : node.children) within += m_nodes[inner].seconds;
    std::string const own_path = path.empty() ? node.name : path + " > " + node.name;
    regions.push_back({own_path, node.name, node.calls, node.seconds, node.seconds - within});
    add_regions(child, own_path, regions);
  }
}

std::vector<Profile::Region> Profile::regions() const {
  std::vector<Region> regions;
  add_regions(0, "", regions);
  return regions;
}

}  // namespace onedge
