// MNIST's IDX files: a big-endian header (magic number, one extent per dimension), then bytes.
#include <onedge/core/error.hpp>

#include <array>
#include <iomanip>

#include "binary_file.hpp"
#include "sources.hpp"

namespace onedge::data {

namespace {

constexpr std::uint32_t image_magic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t label_magic = 0x00000801;
constexpr std::size_t largest_image = std::size_t{1} << 24;

struct Header {
  std::vector<std::size_t> extents;
  std::size_t bytes = 0;  // of the header itself
};

std::string hexadecimal(std::uint32_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setw(8) << std::setfill('0') << value;
  return text.str();
}

std::uint32_t big_endian(std::uint8_t const* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

Header read_header(BinaryFile& file, std::uint32_t magic, std::string const& content) {
  Header header;
  auto const dimensions = static_cast<std::size_t>(magic & 0xff);
  header.bytes = 4 * (1 + dimensions);
  std::vector<std::uint8_t> bytes(header.bytes);
  file.read(0, 4, bytes.data());
  auto const found = big_endian(bytes.data());
  require_input(found == magic, file.name(), ": is no IDX file of ", content, ": it starts with ", hexadecimal(found),
                ", expected ", hexadecimal(magic));
  file.read(0, header.bytes, bytes.data());
  for (std::size_t i = 1; i <= dimensions; ++i) header.extents.push_back(big_endian(&bytes[4 * i]));
  return header;
}

/// FOLDER/STEM or FOLDER/STEM.gz
std::filesystem::path find(std::filesystem::path const& folder, std::string const& stem) {
  for (auto const* ending : {"", ".gz"}) {
    auto const path = folder / (stem + ending);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  throw InputError(concat("data.path: no ", stem, " or ", stem, ".gz in ", folder.string()));
}

class IdxSource : public Source {
 public:
  IdxSource(SourceDescription description, std::filesystem::path images, std::filesystem::path labels)
      : Source(std::move(description)), m_images(std::move(images)), m_labels(std::move(labels)) {}

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    auto const features = description().features();
    HostSamples samples;
    samples.pixels.resize(count * features);
    BinaryFile(m_images).read(16 + first * features, count * features, samples.pixels.data());
    samples.labels = read_labels(first, count);
    return samples;
  }

  std::vector<std::int32_t> read_labels(std::size_t first, std::size_t count) const override {
    std::vector<std::uint8_t> labels(count);
    BinaryFile(m_labels).read(8 + first, count, labels.data());
    return {labels.begin(), labels.end()};
  }

  std::string label_file(std::size_t) const override { return m_labels.string(); }

  std::filesystem::path m_images;
  std::filesystem::path m_labels;
};

}  // namespace

std::unique_ptr<Source> open_idx(std::filesystem::path const& folder, Split split, std::size_t classes) {
  std::string const prefix = split == Split::train ? "train" : "t10k";
  auto const image_path = find(folder, prefix + "-images-idx3-ubyte");
  auto const label_path = find(folder, prefix + "-labels-idx1-ubyte");
  BinaryFile images(image_path);
  BinaryFile labels(label_path);
  auto const image_header = read_header(images, image_magic, "images");
  auto const label_header = read_header(labels, label_magic, "labels");
  auto const count = image_header.extents[0];
  auto const height = image_header.extents[1];
  auto const width = image_header.extents[2];
  require_input(height >= 1 && width >= 1 && height <= largest_image / width, images.name(), ": images of ", height,
                " by ", width, " pixels");
  require_input(label_header.extents[0] == count, labels.name(), ": holds ", label_header.extents[0], " labels, but ",
                images.name(), " holds ", count, " images");
  images.require_size(image_header.bytes + count * height * width,
                      concat("its header of ", count, " images of ", height, " by ", width));
  labels.require_size(label_header.bytes + count, concat("its header of ", count, " labels"));
  return std::make_unique<IdxSource>(SourceDescription{image_path.string(), count, {height, width, 1}, classes},
                                     image_path, label_path);
}

}  // namespace onedge::data
