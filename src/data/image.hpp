#pragma once
// Colour images: decoding of JPEG, resizing, cropping.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace onedge::data {

struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]: red, green, blue
};

/// What a file holds, and what is odd about it.
struct Jpeg {
  Image image;
  int orientation = 1;  // by EXIF: 1 as it is stored, 2 … 8 to be turned or mirrored
  std::string warning;  // what libjpeg says about an image all of whose pixels are there; empty: nothing
};

/// Grey-scale images become three equal channels. CMYK and YCCK become RGB as PIL does it: without colour profiles, and
/// inverted as Adobe writes them. Throws InputError naming the file when it cannot be read, is no JPEG, has other
/// colours, or is damaged so that pixels are missing or wrong.
Jpeg decode_jpeg(std::filesystem::path const& file);

/// The orientation, 1 … 8, that a segment APP1 of a JPEG file states; 1 where it states none that can be read.
int exif_orientation(std::span<std::uint8_t const> segment);

/// The `size` by `size` square in the middle of the image, once its shorter side has `shorter_side` pixels (0: as it
/// is). Bilinear with antialiasing: a triangle of the width of one pixel of the coarser of the two images on either
/// side, as in PIL's BILINEAR. Throws Error when the square does not fit.
Image resize_and_crop(Image const& image, std::size_t shorter_side, std::size_t size);

}  // namespace onedge::data
