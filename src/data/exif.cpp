// The one thing that we want to know of EXIF (a TIFF file in a segment APP1): tag 0x0112 of the first directory.
#include <algorithm>
#include <array>
#include <optional>

#include "image.hpp"

namespace onedge::data {

namespace {

/// Numbers of a TIFF file, in its byte order.
class Tiff {
 public:
  explicit Tiff(std::span<std::uint8_t const> bytes) : m_bytes(bytes), m_is_big(!bytes.empty() && bytes[0] == 'M') {}

  /// Nothing where the file ends before.
  std::optional<std::size_t> number(std::size_t at, std::size_t size) const {
    if (at > m_bytes.size() || size > m_bytes.size() - at) return {};
    std::size_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | m_bytes[at + (m_is_big ? i : size - 1 - i)];
    return value;
  }

 private:
  std::span<std::uint8_t const> m_bytes;
  bool m_is_big;
};

}  // namespace

int exif_orientation(std::span<std::uint8_t const> segment) {
  constexpr std::array<std::uint8_t, 6> name{'E', 'x', 'i', 'f', 0, 0};
  constexpr std::size_t orientation_tag = 0x0112, entry_size = 12, short_type = 3, long_type = 4;
  if (segment.size() < name.size() || !std::equal(name.begin(), name.end(), segment.begin())) return 1;
  Tiff const tiff(segment.subspan(name.size()));
  auto const directory = tiff.number(4, 4);
  auto const entries = directory ? tiff.number(*directory, 2) : std::nullopt;
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    std::size_t const entry = *directory + 2 + i * entry_size;
    auto const tag = tiff.number(entry, 2), type = tiff.number(entry + 2, 2);
    if (!tag || !type || *tag != orientation_tag) continue;
    auto const value = *type == short_type  ? tiff.number(entry + 8, 2)
                       : *type == long_type ? tiff.number(entry + 8, 4)
                                            : std::nullopt;
    return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

}  // namespace onedge::data
