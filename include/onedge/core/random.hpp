#pragma once
// Counter-based random numbers (Philox4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
// A value depends on (seed, stream name, index) alone: the same for every number of ranks and every backend.
#include <array>
#include <cstdint>
#include <string_view>

namespace onedge {

/// The streams that the program itself names; tensors have theirs, and so have the columns of random vectors.
namespace streams {
inline constexpr std::string_view batch_order = "batch/order", batch_augmentation = "batch/augmentation",
                                  synthetic_train = "data/synthetic/train", synthetic_test = "data/synthetic/test",
                                  teacher_first = "data/synthetic/teacher/first",
                                  teacher_second = "data/synthetic/teacher/second";
inline constexpr std::array all{batch_order,    batch_augmentation, synthetic_train,
                                synthetic_test, teacher_first,      teacher_second};
}  // namespace streams

/// Uniform on the open interval (0, 1) from 64 random bits, of which the highest 53 count: never 0, never 1.
double open_unit_interval(std::uint32_t high, std::uint32_t low);

/// A named, stateless sequence of random values.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name);

  /// What is left of a name: two of one number are one sequence (one pair in 2³²), so whoever gives names compares
  /// them.
  static std::uint32_t number(std::string_view name);

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
