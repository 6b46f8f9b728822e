#pragma once
// Where samples come from. A source reads any run of its samples; what is read of a file is checked against it.
#include <onedge/data/warnings.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace onedge::data {

/// What a source offers, known without reading its samples.
struct SourceDescription {
  std::string name;                // for messages and logs: the file or folder
  std::size_t samples = 0;         // available in this split
  std::vector<std::size_t> shape;  // of one sample, channels last: [height, width, channels], or [features]
  std::size_t classes = 0;         // labels are 0 … classes − 1
  std::size_t labels_per_sample = 1;
  std::size_t vocabulary = 0;  // 0: samples are numbers; else integers (tokens) below it
  std::string type = "uint8";  // of the values, as they are stored

  /// Values in one sample.
  std::size_t features() const;
};

/// "NAME: samples of 32 × 32 pixels × 3 channels, uint8": how the axes are understood.
std::string to_string(SourceDescription const& description);

/// A run of samples in host memory, row-major [count, features]. Exactly one of the three kinds of input is filled.
struct HostSamples {
  std::size_t count = 0;
  std::size_t features = 0;
  std::vector<std::uint8_t> pixels;  // inputs are scale · pixel
  std::vector<double> reals;         // inputs as they are
  std::vector<std::int32_t> tokens;  // integer inputs (characters)
  double scale = 1.0 / 255.0;        // of pixels
  std::vector<std::int32_t> labels;  // [count · labels per sample]
};

class Source {
 public:
  explicit Source(SourceDescription description) : m_description(std::move(description)) {}
  virtual ~Source() = default;
  Source(Source const&) = delete;
  Source& operator=(Source const&) = delete;

  SourceDescription const& description() const { return m_description; }
  /// What was odd so far, at the opening and in the samples that were read.
  virtual Warnings warnings() const { return m_warnings; }

  /// Samples first … first+count−1. Throws InputError when they do not exist, cannot be read, have a label outside
  /// 0 … classes−1, or a value that is no finite number.
  HostSamples read(std::size_t first, std::size_t count) const;
  /// Their labels alone, with the same checks.
  std::vector<std::int32_t> labels(std::size_t first, std::size_t count) const;
  /// Whether it is quicker to read a sample alone than with its neighbours.
  virtual bool is_costly() const { return false; }
  /// A sample for messages: where it lies, and its number there.
  virtual std::string sample_name(std::size_t sample) const;

 protected:
  Warnings& new_warnings() const { return m_warnings; }
  /// Samples of another source, of which not all are to be used: their values are not checked.
  static HostSamples read_unchecked(Source const& source, std::size_t first, std::size_t count) {
    return source.read_samples(first, count);
  }

 private:
  void check_range(std::size_t first, std::size_t count) const;
  void check_values(std::size_t first, HostSamples const& samples) const;
  void check_labels(std::size_t first, std::vector<std::int32_t> const& labels) const;
  virtual HostSamples read_samples(std::size_t first, std::size_t count) const = 0;
  /// Reads the samples, unless there is a shorter way.
  virtual std::vector<std::int32_t> read_labels(std::size_t first, std::size_t count) const;
  /// The file that holds the label of a sample, for messages.
  virtual std::string label_file(std::size_t sample) const;

  SourceDescription m_description;
  mutable Warnings m_warnings;
};

}  // namespace onedge::data
