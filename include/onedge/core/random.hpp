#pragma once
// Counter-based random numbers (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
// A value depends on (seed, stream name, index) alone: the same for every number of ranks and every backend.
#include <cstdint>
#include <string_view>

namespace onedge {

/// A named, stateless sequence of random values.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name);

  /// Uniform on the open interval (0, 1), 53 bits.
  double uniform(std::uint64_t index) const;
  /// Standard normal (Box and Muller 1958).
  double normal(std::uint64_t index) const;
  /// Standard normal conditioned on |x| <= 2, by rejection.
  double truncated_normal(std::uint64_t index) const;
  /// Uniform on 0 … bound−1; bound > 0.
  std::uint64_t integer(std::uint64_t index, std::uint64_t bound) const;

 private:
  struct Pair {
    double first;
    double second;
  };
  Pair uniforms(std::uint64_t index, std::uint32_t attempt) const;
  double normal_attempt(std::uint64_t index, std::uint32_t attempt) const;

  std::uint64_t m_seed;
  std::uint32_t m_stream;
};

}  // namespace onedge
