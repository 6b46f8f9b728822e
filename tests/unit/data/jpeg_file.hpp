#pragma once
// JPEG files for tests, written by libjpeg.
#include <jpeglib.h>

#include <cstdint>
#include <cstdio>  // jpeglib.h needs it
#include <filesystem>
#include <memory>
#include <vector>

namespace onedge::data::test {

struct JpegOptions {
  int quality = 100;
  bool ycck = false;  // of four channels
  bool adobe = true;  // of four channels: with Adobe's marker
  bool progressive = false;
  bool arithmetic = false;
  std::vector<std::uint8_t> app1;  // contents of a segment APP1
};

/// pixels [height, width, channels], one or three channels (four: CMYK).
inline void write_jpeg(std::filesystem::path const& path, std::size_t height, std::size_t width, std::size_t channels,
                       std::vector<std::uint8_t> pixels, JpegOptions const& options = {}) {
  std::filesystem::create_directories(path.parent_path());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "wb"), std::fclose);
  jpeg_compress_struct encoder{};
  jpeg_error_mgr manager{};
  encoder.err = jpeg_std_error(&manager);
  jpeg_create_compress(&encoder);
  jpeg_stdio_dest(&encoder, file.get());
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.input_components = static_cast<int>(channels);
  encoder.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, options.quality, TRUE);
  if (options.ycck) jpeg_set_colorspace(&encoder, JCS_YCCK);
  if (!options.adobe) encoder.write_Adobe_marker = FALSE;
  if (options.progressive) jpeg_simple_progression(&encoder);
  encoder.arith_code = options.arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&encoder, TRUE);
  if (!options.app1.empty()) {
    jpeg_write_marker(&encoder, JPEG_APP0 + 1, options.app1.data(), static_cast<unsigned>(options.app1.size()));
  }
  for (std::size_t y = 0; y < height; ++y) {
    JSAMPROW row = pixels.data() + y * width * channels;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
}

}  // namespace onedge::data::test
