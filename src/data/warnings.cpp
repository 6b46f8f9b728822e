#include <onedge/core/error.hpp>
#include <onedge/data/warnings.hpp>

namespace onedge::data {

namespace {

constexpr char end = '\0';  // of a field, on the way to other ranks

/// The field that begins at `at`, which moves behind it.
std::string next_field(std::string const& packed, std::size_t& at) {
  auto const last = packed.find(end, at);
  auto const field = packed.substr(at, last - at);
  at = last + 1;
  return field;
}

}  // namespace

void Warnings::add(std::string const& text) { add(text, Samples{}); }

void Warnings::add(std::string const& kind, std::size_t sample, std::string const& detail) {
  add(kind, Samples{1, sample, detail});
}

void Warnings::add(Warnings const& others) {
  for (auto const& [kind, samples] : others.m_kinds) add(kind, samples);
}

void Warnings::add(std::string const& kind, Samples const& samples) {
  auto const [place, is_new] = m_kinds.try_emplace(kind, samples);
  if (is_new) return;
  auto& all = place->second;
  if (samples.first < all.first) all.first = samples.first, all.detail = samples.detail;
  all.count += samples.count;
}

std::vector<std::string> Warnings::texts() const {
  std::vector<std::string> result;
  for (auto const& [kind, samples] : m_kinds) {
    result.push_back(samples.count == 0 ? kind : concat(kind, ": ", samples.count, ", the first ", samples.detail));
  }
  return result;
}

Warnings Warnings::gathered(comm::Communicator const& communicator) const {
  std::string packed;
  for (auto const& [kind, samples] : m_kinds) {
    packed += concat(kind, end, samples.count, end, samples.first, end, samples.detail, end);
  }
  Warnings result;
  for (auto const& text : communicator.gather(packed)) {
    for (std::size_t at = 0; at < text.size();) {
      auto const kind = next_field(text, at);
      Samples samples;
      samples.count = std::stoull(next_field(text, at));
      samples.first = std::stoull(next_field(text, at));
      samples.detail = next_field(text, at);
      result.add(kind, samples);
    }
  }
  return result;
}

}  // namespace onedge::data
