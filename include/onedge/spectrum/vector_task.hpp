#pragma once
#include <cstdint>
#include <vector>

namespace onedge::spectrum {

/// One operation on sharded vectors, as a rank can send it to others: vectors are named by the numbers of their slots
/// in a VectorPool. What each does, and the order of its numbers, stands at the methods of ShardedVectors.
struct VectorTask {
  enum class Kind : std::int64_t {
    multiply_add,       ///< target_j ← Σ_k numbers[k, j] · a_k + numbers.back() · target_j
    combine,            ///< target_j ← numbers[0] · a_j + numbers[1] · b_j
    scale,              ///< target_j ← numbers[j] · target_j
    multiply_elements,  ///< target_j ← target_j ∘ a_0
    fill,               ///< target_j ← numbers[0]
    copy,               ///< target_j ← a_j
    randomise,          ///< target_j ← standard normal entries of (seed, draw, j)
    randomise_signs,    ///< target_j ← ±1
    inner_products,     ///< ⟨a_i, b_j⟩ for all pairs
    dots,               ///< ⟨a_j, b_j⟩
    apply,              ///< target_j ← A a_j
    end                 ///< of what rank 0 directs
  };

  Kind kind = Kind::end;
  std::vector<std::int64_t> target, a, b;
  std::vector<double> numbers;
  std::uint64_t seed = 0, draw = 0;

  /// A message, and back.
  std::vector<std::int64_t> encoded() const;
  static VectorTask decoded(std::vector<std::int64_t> const& message);
};

}  // namespace onedge::spectrum
