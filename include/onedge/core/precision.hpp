#pragma once
// The two precisions of a run (deck key run.precision).
#include <string>

namespace onedge {

enum class Precision { single_precision, double_precision };

/// "single" or "double", as decks and files write it.
inline std::string to_string(Precision precision) {
  return precision == Precision::single_precision ? "single" : "double";
}

template <class Real>
inline constexpr Precision precision_of = sizeof(Real) == sizeof(float) ? Precision::single_precision
                                                                        : Precision::double_precision;

}  // namespace onedge
