// JPEG through libjpeg(-turbo), whose failures come back by longjmp: what lies between setjmp and a failure must be
// plain data, so the buffers are owned by the caller.
#include <onedge/core/error.hpp>

#include <cerrno>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <cstring>
#include <fstream>
#include <iterator>

// jerror.h needs the version that jpeglib.h says.
#include <jpeglib.h>
//
#include <jerror.h>

#include "binary_file.hpp"
#include "image.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t most_pixels = std::size_t{1} << 28;

struct Failure {
  jpeg_error_mgr manager;  // first: libjpeg knows it as this
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
  char warning[JMSG_LENGTH_MAX];
};

/// Of several messages the first counts.
void keep_message(j_common_ptr decoder, char* message) {
  if (message[0] == '\0') decoder->err->format_message(decoder, message);
}

void fail(j_common_ptr decoder) {
  auto* const failure = reinterpret_cast<Failure*>(decoder->err);
  keep_message(decoder, failure->message);
  std::longjmp(failure->escape, 1);
}

/// Warnings after which every pixel is there as it was encoded. Others say that compressed data are missing or wrong.
bool is_harmless(int warning) {
  switch (warning) {
    case JWRN_ADOBE_XFORM:        // a colour transform that libjpeg does not know: the usual one is taken
    case JWRN_BOGUS_PROGRESSION:  // scans in an order that is not the standard's
    case JWRN_EXTRANEOUS_DATA:    // bytes before a marker
    case JWRN_JFIF_MAJOR:         // a version of JFIF that libjpeg does not know
    case JWRN_NOT_SEQUENTIAL:     // parameters of progressive scans in another image
      return true;
    default:
      return false;
  }
}

void note(j_common_ptr decoder, int level) {
  if (level >= 0) return;  // what traces the work
  auto* const failure = reinterpret_cast<Failure*>(decoder->err);
  keep_message(decoder, is_harmless(failure->manager.msg_code) ? failure->warning : failure->message);
}

/// R = (255 − C)·(255 − K)/255 and so on, of values that are stored as 255 − C. In place: four values become three.
void to_rgb(std::uint8_t* pixels, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    unsigned const key = pixels[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      pixels[3 * i + c] = static_cast<std::uint8_t>((pixels[4 * i + c] * key + 127) / 255);
    }
  }
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
  char const* warning() const { return m_failure.warning; }
  std::size_t height() const { return m_decoder.output_height; }
  std::size_t width() const { return m_decoder.output_width; }
  /// Values in a pixel as read() writes them: red, green, blue, or cyan, magenta, yellow, key.
  std::size_t channels() const { return m_decoder.out_color_space == JCS_CMYK ? 4 : 3; }
  bool is_adobe() const { return m_decoder.saw_Adobe_marker == TRUE; }

  bool begin() {
    if (setjmp(m_failure.escape) != 0) return false;  // NOLINT: libjpeg's way
    jpeg_mem_src(&m_decoder, m_file.data(), m_file.size());
    jpeg_save_markers(&m_decoder, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&m_decoder, TRUE);
    bool const has_key = m_decoder.jpeg_color_space == JCS_CMYK || m_decoder.jpeg_color_space == JCS_YCCK;
    m_decoder.out_color_space = has_key ? JCS_CMYK : JCS_RGB;
    jpeg_calc_output_dimensions(&m_decoder);
    return true;
  }

  int orientation() const {
    for (auto const* marker = m_decoder.marker_list; marker != nullptr; marker = marker->next) {
      int const found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) return found;
    }
    return 1;
  }

  bool read(std::uint8_t* pixels) {
    if (setjmp(m_failure.escape) != 0) return false;  // NOLINT: libjpeg's way
    jpeg_start_decompress(&m_decoder);
    while (m_decoder.output_scanline < m_decoder.output_height) {
      JSAMPROW row = pixels + channels() * m_decoder.output_width * m_decoder.output_scanline;
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

Jpeg decode_jpeg(std::filesystem::path const& file) {
  require_input(!is_special(file), file.string(), ": is no regular file");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  require_input(stream.is_open(), file.string(), ": cannot be opened: ", std::strerror(errno));
  std::vector<unsigned char> const bytes{std::istreambuf_iterator<char>(stream), {}};
  require_input(bytes.size() > 2 && bytes[0] == 0xff && bytes[1] == 0xd8, file.string(), ": is no JPEG image");
  Decoder decoder(bytes);
  require_input(decoder.begin(), file.string(), ": is no JPEG image that can be read: ", decoder.message());
  Jpeg jpeg{{decoder.height(), decoder.width(), {}}, decoder.orientation(), {}};
  auto& image = jpeg.image;
  require_input(image.height <= most_pixels / image.width, file.string(), ": an image of ", image.width, " by ",
                image.height, " pixels is too large");
  // An image that is whole takes at least a few bits for each of its blocks of 64 values.
  constexpr std::size_t harmless_pixels = std::size_t{1} << 22, most_pixels_per_byte = 2048;
  require_input(image.height * image.width <= harmless_pixels + most_pixels_per_byte * bytes.size(), file.string(),
                ": declares ", image.width, " by ", image.height, " pixels in ", bytes.size(), " bytes");
  image.pixels.resize(decoder.channels() * image.height * image.width);
  bool const is_whole = decoder.read(image.pixels.data()) && decoder.message()[0] == '\0';
  require_input(is_whole, file.string(), ": cannot be decoded: ", decoder.message());
  jpeg.warning = decoder.warning();
  if (decoder.channels() == 4) {
    to_rgb(image.pixels.data(), image.height * image.width);
    image.pixels.resize(3 * image.height * image.width);
    if (!decoder.is_adobe() && jpeg.warning.empty()) jpeg.warning = "CMYK without Adobe's marker, taken as inverted";
  }
  return jpeg;
}

}  // namespace onedge::data
