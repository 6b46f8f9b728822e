#include <onedge/core/error.hpp>
#include <onedge/tuner/cdat.hpp>
#include <onedge/tuner/constant.hpp>
#include <onedge/tuner/hypergradient.hpp>
#include <onedge/tuner/linesearch.hpp>
#include <onedge/tuner/polyak.hpp>
#include <onedge/tuner/schedule.hpp>
#include <onedge/tuner/sharpness.hpp>
#include <onedge/tuner/tuner.hpp>

#include <type_traits>
#include <vector>

namespace onedge::tuner {

bool Tuner::needs_curvature(std::int64_t) const { return false; }
void Tuner::restore(std::map<std::string, double> const&) {}

double saved(std::map<std::string, double> const& state, char const* name) {
  auto const entry = state.find(name);
  require(entry != state.end(), "the state of the tuner lacks '", name, "'");
  return entry->second;
}

namespace {

/// Reads the keys of one kind and says how to make its tuner.
template <class Kind>
TunerMaker bind_kind(config::Section section) {
  typename Kind::Options options;
  options.bind(section);
  return [options](RunLength const& run) -> std::unique_ptr<Tuner> {
    if constexpr (std::is_constructible_v<Kind, typename Kind::Options, RunLength>) {
      return std::make_unique<Kind>(options, run);
    } else {
      static_cast<void>(run);
      return std::make_unique<Kind>(options);
    }
  };
}

struct KindEntry {
  std::string name;
  TunerMaker (*bind)(config::Section);
};

/// A new tuner is one line here.
std::vector<KindEntry> kinds() {
  return {{"constant", bind_kind<Constant>},     {"schedule", bind_kind<Schedule>},
          {"linesearch", bind_kind<Linesearch>}, {"cdat", bind_kind<Cdat>},
          {"polyak", bind_kind<Polyak>},         {"hypergradient", bind_kind<Hypergradient>},
          {"sharpness", bind_kind<Sharpness>}};
}

}  // namespace

TunerConfig TunerConfig::bind(config::Section section) {
  TunerConfig config;
  std::vector<std::string> names;
  for (auto const& entry : kinds()) names.push_back(entry.name);
  section.choose("kind", config.kind, names, "learning-rate tuner");
  for (auto const& entry : kinds()) {
    if (!section.documenting() && entry.name != config.kind) continue;
    auto const maker = entry.bind(section.when("kind: " + entry.name));
    if (entry.name == config.kind) config.make = maker;
  }
  return config;
}

std::unique_ptr<Tuner> make_tuner(TunerConfig const& config, RunLength const& run) {
  require(static_cast<bool>(config.make), "the tuner's configuration was not bound");
  return config.make(run);
}

}  // namespace onedge::tuner
