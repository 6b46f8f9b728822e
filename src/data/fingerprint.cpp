#include <onedge/data/fingerprint.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iomanip>
#include <sstream>

namespace onedge::data {

namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which every bit depends on every other.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Bytes as words of eight, the last one filled up with zeros.
std::uint64_t hash_of(std::uint64_t number, void const* bytes, std::size_t size) {
  auto const* const from = static_cast<unsigned char const*>(bytes);
  std::uint64_t hash = mix(number + 0x9e3779b97f4a7c15);
  for (std::size_t at = 0; at < size; at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + at, std::min(sizeof word, size - at));
    hash = mix(hash ^ word);
  }
  return hash;
}

/// Over the samples first, first + 1, … whose values these are.
template <class T>
std::uint64_t sum_of_hashes(std::vector<T> const& values, std::size_t samples, std::size_t first) {
  std::uint64_t sum = 0;
  std::size_t const each = samples > 0 ? values.size() / samples : 0;
  for (std::size_t i = 0; i < samples && each > 0; ++i) {
    sum += hash_of(first + i, values.data() + i * each, each * sizeof(T));
  }
  return sum;
}

/// Sums over ranks modulo 2^64, in halves: signed sums must not overflow.
template <std::size_t n>
std::array<std::uint64_t, n> sum_over_ranks(std::array<std::uint64_t, n> const& mine,
                                            comm::Communicator const& communicator) {
  std::array<std::int64_t, 2 * n> halves;
  for (std::size_t i = 0; i < n; ++i) {
    halves[2 * i] = static_cast<std::int64_t>(mine[i] & 0xffffffff);
    halves[2 * i + 1] = static_cast<std::int64_t>(mine[i] >> 32);
  }
  communicator.all_reduce(halves.data(), halves.size());
  std::array<std::uint64_t, n> sums;
  for (std::size_t i = 0; i < n; ++i) {
    sums[i] = static_cast<std::uint64_t>(halves[2 * i]) + (static_cast<std::uint64_t>(halves[2 * i + 1]) << 32);
  }
  return sums;
}

}  // namespace

std::string fingerprint(SourceDescription const& description, HostSamples const& mine, std::size_t first,
                        std::size_t count, comm::Communicator const& communicator) {
  auto const inputs = sum_of_hashes(mine.pixels, mine.count, first) + sum_of_hashes(mine.reals, mine.count, first) +
                      sum_of_hashes(mine.tokens, mine.count, first);
  auto const labels = sum_of_hashes(mine.labels, mine.count, first);
  auto const sums = sum_over_ranks<3>({inputs, labels, mine.pixels.size()}, communicator);
  std::ostringstream text;
  text << count << " samples of [";
  for (std::size_t i = 0; i < description.shape.size(); ++i) text << (i > 0 ? ", " : "") << description.shape[i];
  text << "] "
       << (description.vocabulary > 0 ? "characters"
           : sums[2] > 0              ? "pixels"
                                      : "numbers")
       << " in " << description.classes << " classes, inputs " << std::hex << std::setfill('0') << std::setw(16)
       << sums[0] << ", labels " << std::setw(16) << sums[1];
  return text.str();
}

}  // namespace onedge::data
