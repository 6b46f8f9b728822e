// JPEG through libjpeg(-turbo), whose failures come back by longjmp: what lies between setjmp and a failure must be
// plain data, so the buffers are owned by the caller.
#include <onedge/core/error.hpp>

#include <jpeglib.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <cstring>
#include <fstream>
#include <iterator>

#include "binary_file.hpp"
#include "image.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t most_pixels = std::size_t{1} << 28;

struct Failure {
  jpeg_error_mgr manager;  // first: libjpeg knows it as this
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

void keep_message(j_common_ptr decoder) {
  auto* const failure = reinterpret_cast<Failure*>(decoder->err);
  if (failure->message[0] == '\0') failure->manager.format_message(decoder, failure->message);
}

void fail(j_common_ptr decoder) {
  keep_message(decoder);
  std::longjmp(reinterpret_cast<Failure*>(decoder->err)->escape, 1);
}

void note(j_common_ptr decoder, int level) {
  if (level < 0) keep_message(decoder);  // a warning: the data are corrupt
}

class Decoder {
 public:
  explicit Decoder(std::vector<unsigned char> const& file) : m_file(file) {
    m_decoder.err = jpeg_std_error(&m_failure.manager);
    m_failure.manager.error_exit = fail;
    m_failure.manager.emit_message = note;
    jpeg_create_decompress(&m_decoder);
  }
  ~Decoder() { jpeg_destroy_decompress(&m_decoder); }
  Decoder(Decoder const&) = delete;
  Decoder& operator=(Decoder const&) = delete;

  /// What was wrong, or empty.
  char const* message() const { return m_failure.message; }
  std::size_t height() const { return m_decoder.output_height; }
  std::size_t width() const { return m_decoder.output_width; }

  bool begin() {
    if (setjmp(m_failure.escape) != 0) return false;  // NOLINT: libjpeg's way
    jpeg_mem_src(&m_decoder, m_file.data(), m_file.size());
    jpeg_read_header(&m_decoder, TRUE);
    m_decoder.out_color_space = JCS_RGB;
    jpeg_calc_output_dimensions(&m_decoder);
    return true;
  }

  bool read(std::uint8_t* pixels) {
    if (setjmp(m_failure.escape) != 0) return false;  // NOLINT: libjpeg's way
    jpeg_start_decompress(&m_decoder);
    while (m_decoder.output_scanline < m_decoder.output_height) {
      JSAMPROW row = pixels + std::size_t{3} * m_decoder.output_width * m_decoder.output_scanline;
      jpeg_read_scanlines(&m_decoder, &row, 1);
    }
    jpeg_finish_decompress(&m_decoder);
    return true;
  }

 private:
  std::vector<unsigned char> const& m_file;
  jpeg_decompress_struct m_decoder{};
  Failure m_failure{};
};

}  // namespace

Image decode_jpeg(std::filesystem::path const& file) {
  require_input(!is_special(file), file.string(), ": is no regular file");
  std::ifstream stream(file, std::ios::binary);
  require_input(stream.is_open(), file.string(), ": cannot be opened: ", std::strerror(errno));
  std::vector<unsigned char> const bytes{std::istreambuf_iterator<char>(stream), {}};
  require_input(bytes.size() > 2 && bytes[0] == 0xff && bytes[1] == 0xd8, file.string(), ": is no JPEG image");
  Decoder decoder(bytes);
  require_input(decoder.begin(), file.string(), ": is no JPEG image that can be read: ", decoder.message());
  Image image{decoder.height(), decoder.width(), {}};
  require_input(image.height <= most_pixels / image.width, file.string(), ": an image of ", image.width, " by ",
                image.height, " pixels is too large");
  // An image that is whole takes at least a few bits for each of its blocks of 64 values.
  constexpr std::size_t harmless_pixels = std::size_t{1} << 22, most_pixels_per_byte = 2048;
  require_input(image.height * image.width <= harmless_pixels + most_pixels_per_byte * bytes.size(), file.string(),
                ": declares ", image.width, " by ", image.height, " pixels in ", bytes.size(), " bytes");
  image.pixels.resize(3 * image.height * image.width);
  bool const is_whole = decoder.read(image.pixels.data()) && decoder.message()[0] == '\0';
  require_input(is_whole, file.string(), ": cannot be decoded: ", decoder.message());
  return image;
}

}  // namespace onedge::data
