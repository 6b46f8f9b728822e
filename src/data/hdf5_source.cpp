// Samples in one HDF5 file: x [samples, …], y [samples].
#include <onedge/core/error.hpp>
#include <onedge/hdf5/file.hpp>

#include <hdf5.h>

#include <algorithm>
#include <limits>
#include <optional>

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

bool is_bytes(hdf5::Dataset const& dataset) {
  hdf5::Handle const type = hdf5::checked(
      H5Dget_type(dataset.id()), [](hdf5::Id id) { return static_cast<int>(H5Tclose(id)); }, dataset.label());
  return H5Tget_class(type.get()) == H5T_INTEGER && H5Tget_size(type.get()) == 1 &&
         H5Tget_sign(type.get()) == H5T_SGN_NONE;
}

class Hdf5Source : public Source {
 public:
  Hdf5Source(SourceDescription description, std::filesystem::path path, std::string suffix)
      : Source(std::move(description)), m_path(std::move(path)), m_suffix(std::move(suffix)) {}

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    auto const file = open_file(m_path);
    return as_input_errors([&] {
      HostSamples samples;
      auto const x = file.dataset("x" + m_suffix);
      if (is_bytes(x)) {
        samples.pixels = x.read_rows<std::uint8_t>(first, count);
      } else {
        samples.reals = x.read_rows<double>(first, count);
      }
      samples.labels = labels_of(file, first, count);
      return samples;
    });
  }

  std::vector<std::int32_t> read_labels(std::size_t first, std::size_t count) const override {
    return as_input_errors([&] { return labels_of(open_file(m_path), first, count); });
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
};

/// Largest label + 1 of all in the file; InputError when one is negative, or not below `classes` where that is given.
std::size_t count_classes(hdf5::Dataset const& y, std::size_t classes) {
  constexpr std::int64_t largest_allowed = std::numeric_limits<std::int32_t>::max() - 1;
  constexpr std::size_t at_once = std::size_t{1} << 20;
  auto const limit = classes > 0 ? static_cast<std::int64_t>(classes) - 1 : largest_allowed;
  std::int64_t largest = 0;
  std::size_t const count = y.size();
  for (std::size_t first = 0; first < count; first += at_once) {
    auto const labels = y.read_rows<std::int64_t>(first, std::min(at_once, count - first));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      require_input(labels[i] >= 0 && labels[i] <= limit, y.label(), ": label ", labels[i], " of sample ", first + i,
                    " is outside 0 to ", limit);
      largest = std::max(largest, labels[i]);
    }
  }
  return classes > 0 ? classes : static_cast<std::size_t>(largest) + 1;
}

SourceDescription describe(hdf5::File const& file, std::string const& suffix, std::size_t classes) {
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
  SourceDescription description{name, extents[0], {extents.begin() + 1, extents.end()}, 0};
  if (description.shape.empty()) description.shape = {1};
  require_input(description.features() > 0, x.label(), ": its samples hold no values");
  x.require_plausible();
  description.classes = count_classes(y, classes);
  return description;
}

}  // namespace

bool hdf5_has_test(std::filesystem::path const& file) {
  auto const opened = open_file(file);
  return opened.has("x_test") && opened.has("y_test");
}

std::unique_ptr<Source> open_hdf5(std::filesystem::path const& file, Split split, std::size_t classes) {
  std::string const suffix = split == Split::train ? "" : "_test";
  auto const opened = open_file(file);
  auto const description = as_input_errors([&] {
    if (split == Split::train || classes > 0) return describe(opened, suffix, classes);
    // The test labels are measured against the classes that training knows.
    return describe(opened, suffix, describe(opened, "", 0).classes);
  });
  return std::make_unique<Hdf5Source>(description, file, suffix);
}

}  // namespace onedge::data
