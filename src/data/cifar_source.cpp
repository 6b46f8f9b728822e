// The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of one or two label bytes and 3072 pixels,
// plane after plane (red, green, blue), 32 by 32 each.
#include <onedge/core/error.hpp>

#include <algorithm>

#include "binary_file.hpp"
#include "sources.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t side = 32;
constexpr std::size_t channels = 3;
constexpr std::size_t pixels_per_plane = side * side;
constexpr std::size_t image_bytes = channels * pixels_per_plane;

struct Part {
  std::filesystem::path path;
  std::size_t records;
};

/// Counts the records; InputError when the size is not a whole number of them.
Part inspect(std::filesystem::path const& path, std::size_t record_bytes) {
  std::size_t const bytes = BinaryFile(path).size();
  require_input(bytes > 0 && bytes % record_bytes == 0, path.string(), ": is truncated or another format: ", bytes,
                " bytes are not a whole number of records of ", record_bytes, " bytes");
  return {path, bytes / record_bytes};
}

/// From [channel, row, column] to [row, column, channel].
void interleave(std::uint8_t const* planes, std::uint8_t* image) {
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t i = 0; i < pixels_per_plane; ++i) {
      image[i * channels + channel] = planes[channel * pixels_per_plane + i];
    }
  }
}

class CifarSource : public Source {
 public:
  CifarSource(SourceDescription description, std::vector<Part> parts, std::size_t label_bytes, Warnings const& warnings)
      : Source(std::move(description)), m_parts(std::move(parts)), m_label_bytes(label_bytes) {
    new_warnings().add(warnings);
  }

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    HostSamples samples;
    samples.pixels.resize(count * image_bytes);
    samples.labels.resize(count);
    std::size_t done = 0;
    std::size_t start = 0;  // of the part, among all records
    for (auto const& part : m_parts) {
      auto const begin = std::max(first + done, start);
      auto const end = std::min(first + count, start + part.records);
      if (begin < end) {
        read_part(part, begin - start, end - begin, done, samples);
        done += end - begin;
      }
      start += part.records;
    }
    return samples;
  }

  std::string label_file(std::size_t sample) const override {
    std::size_t start = 0;
    for (auto const& part : m_parts) {
      start += part.records;
      if (sample < start) return part.path.string();
    }
    return description().name;
  }

  void read_part(Part const& part, std::size_t first, std::size_t count, std::size_t at, HostSamples& samples) const {
    auto const record_bytes = m_label_bytes + image_bytes;
    std::vector<std::uint8_t> records(count * record_bytes);
    BinaryFile(part.path).read(first * record_bytes, records.size(), records.data());
    for (std::size_t i = 0; i < count; ++i) {
      auto const* const record = &records[i * record_bytes];
      samples.labels[at + i] = record[m_label_bytes - 1];  // CIFAR-100: coarse label, then fine label
      interleave(record + m_label_bytes, &samples.pixels[(at + i) * image_bytes]);
    }
  }

  std::vector<Part> m_parts;
  std::size_t m_label_bytes;
};

/// The files up to the first that is missing, which must be the last ones of the set where `all` samples are wanted.
std::unique_ptr<Source> open(std::filesystem::path const& folder, std::vector<std::string> const& names,
                             std::size_t label_bytes, std::size_t classes, bool all) {
  std::error_code ignored;
  auto const exists = [&](std::string const& name) { return std::filesystem::exists(folder / name, ignored); };
  auto const missing = std::find_if_not(names.begin(), names.end(), exists);
  require_input(missing != names.begin(), "data.path: no ", names.front(), " in ", folder.string());
  auto const next = std::find_if(missing, names.end(), exists);
  require_input(next == names.end() || !all, "data.path: ", folder.string(), " has ", *next, ", but no ", *missing,
                " before it; data.samples can say how many of the samples before that to use");
  std::vector<Part> parts;
  std::size_t records = 0;
  for (auto name = names.begin(); name != missing; ++name) {
    parts.push_back(inspect(folder / *name, label_bytes + image_bytes));
    records += parts.back().records;
  }
  auto name = parts.size() == 1 ? parts.front().path.string() : folder.string();
  if (missing != names.end()) name += concat(" (", *missing, " is missing)");
  Warnings warnings;
  if (next != names.end()) {
    warnings.add(concat(folder.string(), ": ", *missing, " is missing, so that ", *next, " is not used"));
  } else if (missing != names.end() && all) {
    warnings.add(concat(folder.string(), ": ", *missing, " is missing, so that there are ", records, " samples only"));
  }
  return std::make_unique<CifarSource>(SourceDescription{name, records, {side, side, channels}, classes},
                                       std::move(parts), label_bytes, warnings);
}

}  // namespace

std::unique_ptr<Source> open_cifar10(std::filesystem::path const& folder, Split split, bool all) {
  if (split == Split::test) return open(folder, {"test_batch.bin"}, 1, 10, all);
  return open(folder,
              {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}, 1,
              10, all);
}

std::unique_ptr<Source> open_cifar100(std::filesystem::path const& folder, Split split) {
  return open(folder, {split == Split::train ? "train.bin" : "test.bin"}, 2, 100, true);
}

}  // namespace onedge::data
