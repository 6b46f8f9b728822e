// Samples in one HDF5 file: x [samples, …], y [samples].
#include <onedge/core/error.hpp>
#include <onedge/hdf5/file.hpp>

#include <algorithm>
#include <limits>

#include "sources.hpp"

namespace onedge::data {

namespace {

/// What is wrong with a data file is the user's to mend.
template <class Action>
auto as_input_errors(Action action) {
  try {
    return action();
  } catch (InputError const&) {
    throw;
  } catch (Error const& error) {
    throw InputError(error.what());
  }
}

hdf5::File open_file(std::filesystem::path const& path) {
  std::error_code ignored;
  require_input(std::filesystem::exists(path, ignored), "data.path: there is no file ", path.string());
  return as_input_errors([&] { return hdf5::File::open(path); });
}

bool is_bytes(hdf5::Dataset const& dataset) { return dataset.type_name() == "uint8"; }

/// values [count, channels, places] become [count, places, channels].
template <class T>
std::vector<T> channels_last(std::vector<T> values, std::size_t channels, std::size_t places) {
  std::vector<T> result(values.size());
  for (std::size_t first = 0; first < values.size(); first += channels * places) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < places; ++i) result[first + i * channels + c] = values[first + c * places + i];
    }
  }
  return result;
}

class Hdf5Source : public Source {
 public:
  Hdf5Source(SourceDescription description, std::filesystem::path path, std::string suffix, bool channels_first,
             Warnings const& warnings)
      : Source(std::move(description)),
        m_path(std::move(path)),
        m_suffix(std::move(suffix)),
        m_channels_first(channels_first) {
    new_warnings().add(warnings);
  }

  std::string sample_name(std::size_t sample) const override {
    return concat(m_path.string(), ":/x", m_suffix, ": sample ", sample);
  }

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    auto const file = open_file(m_path);
    return as_input_errors([&] {
      HostSamples samples;
      auto const x = file.dataset("x" + m_suffix);
      if (is_bytes(x)) {
        samples.pixels = in_order(x.read_rows<std::uint8_t>(first, count));
      } else {
        samples.reals = in_order(x.read_rows<double>(first, count));
      }
      samples.labels = labels_of(file, first, count);
      return samples;
    });
  }

  std::vector<std::int32_t> read_labels(std::size_t first, std::size_t count) const override {
    return as_input_errors([&] { return labels_of(open_file(m_path), first, count); });
  }

  template <class T>
  std::vector<T> in_order(std::vector<T> values) const {
    auto const& shape = description().shape;
    return m_channels_first ? channels_last(std::move(values), shape[2], shape[0] * shape[1]) : values;
  }

  /// All labels were found to fit when the file was opened.
  std::vector<std::int32_t> labels_of(hdf5::File const& file, std::size_t first, std::size_t count) const {
    std::vector<std::int32_t> labels;
    for (auto const label : file.dataset("y" + m_suffix).read_rows<std::int64_t>(first, count)) {
      labels.push_back(static_cast<std::int32_t>(label));
    }
    return labels;
  }

  std::filesystem::path m_path;
  std::string m_suffix;  // "" or "_test"
  bool m_channels_first;
};

/// Largest label + 1 of all in the file; InputError when one is negative, or not below `classes` where that is given.
template <class T>
std::size_t count_classes_as(hdf5::Dataset const& y, std::size_t classes) {
  constexpr std::size_t most_classes = std::numeric_limits<std::int32_t>::max();
  constexpr std::size_t at_once = std::size_t{1} << 20;
  std::size_t const limit = std::min(classes > 0 ? classes : most_classes, most_classes) - 1;
  std::size_t const count = y.size();
  std::size_t largest = 0;
  for (std::size_t first = 0; first < count; first += at_once) {
    auto const labels = y.read_rows<T>(first, std::min(at_once, count - first));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      require_input(labels[i] >= 0 && static_cast<std::uint64_t>(labels[i]) <= limit, y.label(), ": label ", labels[i],
                    " of sample ", first + i, " is outside 0 to ", limit);
      largest = std::max(largest, static_cast<std::size_t>(labels[i]));
    }
  }
  return classes > 0 ? classes : largest + 1;
}

std::size_t count_classes(hdf5::Dataset const& y, std::size_t classes) {
  bool const is_unsigned = y.type_name().starts_with("uint");
  return is_unsigned ? count_classes_as<std::uint64_t>(y, classes) : count_classes_as<std::int64_t>(y, classes);
}

/// [height, width, channels] of images, other shapes as they are.
std::vector<std::size_t> sample_shape(hdf5::Dataset const& x, hdf5::Shape const& extents, bool channels_first) {
  std::vector<std::size_t> shape(extents.begin() + 1, extents.end());
  require_input(!channels_first || shape.size() == 2 || shape.size() == 3, "data.layout: nchw is for images, but ",
                x.label(), " has the shape ", hdf5::to_string(extents));
  if (shape.empty()) return {1};
  if (shape.size() == 2) return {shape[0], shape[1], 1};
  if (channels_first) std::rotate(shape.begin(), shape.begin() + 1, shape.end());
  return shape;
}

/// Whether what are taken for channels are rather one side of images in the other order, whose channels are then what
/// is taken for the height (in nchw: for the width).
bool has_odd_channels(std::vector<std::size_t> const& shape, bool channels_first) {
  if (shape.size() != 3) return false;
  constexpr std::size_t colours = 4;
  std::size_t const channels = shape[2], other = shape[channels_first ? 1 : 0], side = shape[channels_first ? 0 : 1];
  return (channels > other && channels > side) || (channels > colours && other < std::min(side, channels));
}

/// What can be read in two ways, and is in one.
Warnings warnings_about(hdf5::Dataset const& x, SourceDescription const& description, Hdf5Options const& options) {
  Warnings warnings;
  auto const& shape = description.shape;
  if (has_odd_channels(shape, options.channels_first)) {
    warnings.add(concat(x.label(), ": the shape ", hdf5::to_string(x.shape()), " is read as images of ", shape[0],
                        " × ", shape[1], " pixels × ", shape[2],
                        " channels; if that is wrong, set data.layout: ", options.channels_first ? "nhwc" : "nchw"));
  }
  if (x.shape().size() == 3 && (options.standardize == "channel" || options.standardize == "imagenet")) {
    warnings.add(concat(x.label(), ": the shape ", hdf5::to_string(x.shape()),
                        " is read as images of one channel, to which data.standardize: ", options.standardize,
                        " applies"));
  }
  bool const is_integer = x.element_type() == hdf5::ElementType::integer;
  if (is_integer && !is_bytes(x) && options.standardize == "none") {
    warnings.add(concat(x.label(), ": holds ", description.type,
                        ", which is used as it is; only uint8 is divided by 255 (see data.standardize)"));
  }
  return warnings;
}

/// Values that nobody wrote.
Warnings warnings_about_chunks(hdf5::Dataset const& dataset) {
  Warnings warnings;
  auto const missing = dataset.missing_chunks();
  if (missing > 0) {
    warnings.add(concat(dataset.label(), ": was not written in full: ", missing,
                        missing == 1 ? " chunk is" : " chunks are", " read as the fill value"));
  }
  return warnings;
}

/// x and x_test are scaled alike.
Warnings warnings_about_test(hdf5::File const& file) {
  Warnings warnings;
  auto const x = file.dataset("x"), test = file.dataset("x_test");
  if (is_bytes(x) != is_bytes(test)) {
    warnings.add(concat(file.label(), " x holds ", x.type_name(), ", but x_test ", test.type_name(),
                        "; of the two only uint8 is divided by 255"));
  }
  return warnings;
}

SourceDescription describe(hdf5::File const& file, std::string const& suffix, std::size_t classes,
                           bool channels_first) {
  auto const& name = file.label();
  for (auto const* dataset : {"x", "y"}) {
    require_input(file.has(dataset + suffix) && !file.is_group(dataset + suffix), "data.path: ", name,
                  " has no dataset ", dataset + suffix);
  }
  auto const x = file.dataset("x" + suffix);
  auto const y = file.dataset("y" + suffix);
  auto const x_type = x.element_type();
  require_input(x_type == hdf5::ElementType::float32 || x_type == hdf5::ElementType::float64 ||
                    x_type == hdf5::ElementType::integer,
                x.label(), ": does not hold numbers");
  require_input(y.element_type() == hdf5::ElementType::integer, y.label(), ": does not hold integers");
  auto const extents = x.shape();
  require_input(!extents.empty(), x.label(), ": is a single number, expected [samples, …]");
  require_input(y.shape() == hdf5::Shape{extents[0]}, y.label(), ": has the shape ", hdf5::to_string(y.shape()),
                ", expected [", extents[0], "], one label for each row of x", suffix);
  SourceDescription description{name, extents[0], sample_shape(x, extents, channels_first), 0};
  description.type = x.type_name();
  require_input(description.features() > 0, x.label(), ": its samples hold no values");
  x.require_stored();
  description.classes = count_classes(y, classes);
  return description;
}

}  // namespace

bool hdf5_has_test(std::filesystem::path const& file) {
  auto const opened = open_file(file);
  return opened.has("x_test") && opened.has("y_test");
}

std::unique_ptr<Source> open_hdf5(std::filesystem::path const& file, Split split, Hdf5Options const& options) {
  std::string const suffix = split == Split::train ? "" : "_test";
  auto const opened = open_file(file);
  return as_input_errors([&] {
    std::size_t classes = options.classes;
    // The test labels are measured against the classes that training knows.
    if (split == Split::test && classes == 0) classes = describe(opened, "", 0, options.channels_first).classes;
    auto description = describe(opened, suffix, classes, options.channels_first);
    description.name = file.string();
    auto const x = opened.dataset("x" + suffix);
    auto warnings = split == Split::train ? warnings_about(x, description, options) : warnings_about_test(opened);
    warnings.add(warnings_about_chunks(x));
    warnings.add(warnings_about_chunks(opened.dataset("y" + suffix)));
    bool const is_to_turn = options.channels_first && x.shape().size() == 4;
    return std::make_unique<Hdf5Source>(std::move(description), file, suffix, is_to_turn, warnings);
  });
}

}  // namespace onedge::data
