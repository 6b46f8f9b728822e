#pragma once
// Colour images: decoding of JPEG, resizing, cropping.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace onedge::data {

struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]: red, green, blue
};

/// Grey-scale images become three equal channels. Throws InputError naming the file when it cannot be read, is no JPEG,
/// is damaged (also where libjpeg only warns), or has other colours than grey and RGB (CMYK).
Image decode_jpeg(std::filesystem::path const& file);

/// The `size` by `size` square in the middle of the image, once its shorter side has `shorter_side` pixels (0: as it
/// is). Bilinear with antialiasing: a triangle of the width of one pixel of the coarser of the two images on either
/// side, as in PIL's BILINEAR. Throws Error when the square does not fit.
Image resize_and_crop(Image const& image, std::size_t shorter_side, std::size_t size);

}  // namespace onedge::data
