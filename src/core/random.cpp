#include <onedge/core/random.hpp>

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace onedge {

double open_unit_interval(std::uint32_t high, std::uint32_t low) {
  auto const bits = ((static_cast<std::uint64_t>(high) << 32) | low) >> 11;
  // The half is lost above 2⁵², and the last value would become 1.
  return std::min((static_cast<double>(bits) + 0.5) * 0x1.0p-53, 1.0 - 0x1.0p-53);
}

// FNV-1a.
std::uint32_t RandomStream::number(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (unsigned char const character : name) hash = (hash ^ character) * 16777619u;
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) : m_seed(seed), m_stream(number(name)) {}

RandomStream::Pair RandomStream::uniforms(std::uint64_t index, std::uint32_t attempt) const {
  using Generator = r123::Philox4x32;
  Generator::ctr_type const counter = {
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), m_stream, attempt}};
  Generator::key_type const key = {{static_cast<std::uint32_t>(m_seed), static_cast<std::uint32_t>(m_seed >> 32)}};
  auto const word = Generator()(counter, key);
  return {open_unit_interval(word[0], word[1]), open_unit_interval(word[2], word[3])};
}

double RandomStream::uniform(std::uint64_t index) const { return uniforms(index, 0).first; }

double RandomStream::normal_attempt(std::uint64_t index, std::uint32_t attempt) const {
  auto const [radius, angle] = uniforms(index, attempt);
  return std::sqrt(-2.0 * std::log(radius)) * std::cos(2.0 * std::numbers::pi * angle);
}

double RandomStream::normal(std::uint64_t index) const { return normal_attempt(index, 0); }

double RandomStream::truncated_normal(std::uint64_t index) const {
  for (std::uint32_t attempt = 0;; ++attempt) {
    double const value = normal_attempt(index, attempt);
    if (std::abs(value) <= 2.0) return value;
  }
}

std::uint64_t RandomStream::integer(std::uint64_t index, std::uint64_t bound) const {
  auto const value = static_cast<std::uint64_t>(uniform(index) * static_cast<double>(bound));
  return std::min(value, bound - 1);  // a bound above 2⁵³ may have been rounded up
}

}  // namespace onedge
