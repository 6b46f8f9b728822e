#include <onedge/core/error.hpp>
#include <onedge/data/data_config.hpp>

#include <algorithm>

#include "sources.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t image_classes = 10;  // of MNIST and Fashion-MNIST

bool is_one_of(std::string const& set, std::initializer_list<char const*> sets) {
  return std::find(sets.begin(), sets.end(), set) != sets.end();
}

void bind_path(config::Section& section, DataConfig& config) {
  auto const meaning = "folder of the set's files";
  if (config.set == "fashion-mnist" || section.documenting()) {
    section.when("set: fashion-mnist").bind("path", config.path, meaning);
  }
  if (is_one_of(config.set, {"mnist", "cifar10", "cifar100"}) || section.documenting()) {
    section.when("set: mnist, cifar10, cifar100").require("path", config.path, meaning);
  }
  if (config.set == "text" || section.documenting()) {
    section.when("set: text").require("path", config.path, "file of text in UTF-8");
  }
  if (config.set == "images" || section.documenting()) {
    section.when("set: images")
        .require("path", config.path,
                 "folder of class folders of JPEG images (an orientation in EXIF is ignored), or of train/ and val/ "
                 "(test samples) with such folders");
  }
  if (config.set == "hdf5" || section.documenting()) {
    section.when("set: hdf5")
        .require(
            "path", config.path,
            "file with the datasets x [samples, …] and y [samples], and x_test, y_test for test samples; images are "
            "[samples, height, width, channels] or, of one channel, [samples, height, width]");
    section.when("set: hdf5")
        .choose("layout", config.layout, {"nhwc", "nchw"},
                "order of the axes of images in x; nhwc: [samples, height, width, channels]; nchw: [samples, channels, "
                "height, width]");
  }
}

void bind_labels(config::Section& section, DataConfig& config) {
  if (is_one_of(config.set, {"synthetic", "text"}) && !section.documenting()) return;
  auto files = section.when("set: not synthetic, text");
  files.bind(
      "labels", config.labels,
      "classes to use, which become 0, 1, … in this order; data.first and data.samples count what is left; []: all",
      config::non_negative);
  files.bind_or_word("per_label", config.per_label, "all", DataConfig::all,
                     "most training samples of each label, the first ones of the set", config::at_least_one);
  auto sorted = config.labels;
  std::sort(sorted.begin(), sorted.end());
  auto const twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) section.fail("labels", concat("names label ", *twice, " twice"));
}

void bind_standardize(config::Section& section, DataConfig& config) {
  if (config.set == "text" && !section.documenting()) return;
  section.when("set: not text")
      .choose(
          "standardize", config.standardize, {"none", "channel", "pixel", "imagenet"},
          "inputs x become (x - mean)/deviation; channel, pixel: per channel or per value of a sample, over the "
          "training samples used (deviation: ÷N, and 1 where x is constant); imagenet: per channel, with "
          "ImageNet's mean 255·(0.485, 0.456, 0.406) and deviation 255·(0.229, 0.224, 0.225) of pixels; none: pixels "
          "(also those of type uint8 in HDF5) become x/255, all other numbers stay as they are");
}

void bind_images(config::Section& section, DataConfig& config) {
  constexpr config::Limits side{1.0, 4096.0};
  auto images = section.when("set: images");
  images.bind("size", config.size, "height and width of the square cut out of the middle of each image", side);
  images.bind_or_word("resize", config.resize, "none", 0,
                      "pixels of the shorter side before that (bilinear with antialiasing); none: as it is", side);
  if (config.resize > 0 && config.resize < config.size) {
    section.fail("resize", concat("must be at least data.size (", config.size, ")"));
  }
}

void check_synthetic_range(config::Section const& section, DataConfig const& config) {
  constexpr std::int64_t most = 1000000000;
  if (config.samples == DataConfig::all) section.fail("samples", "synthetic data need a number, not all");
  if (config.samples > most) section.fail("samples", concat("synthetic data have at most ", most, " samples"));
  if (config.first > most) section.fail("first", concat("synthetic data have at most ", most, " samples"));
}

void bind_synthetic(config::Section& section, DataConfig& config) {
  auto synthetic = section.when("set: synthetic");
  constexpr config::Limits size{1.0, 1e6};
  config.classes = 10;
  synthetic.bind("features", config.features, "number of values in a sample", size);
  synthetic.bind("classes", config.classes, "number of classes", size);
  synthetic.bind("seed", config.seed, "seed of the inputs and of the teacher network", config::non_negative);
  synthetic.bind("test_samples", config.test_samples, "number of samples of the test split", size);
  if (config.set == "synthetic") check_synthetic_range(section, config);
}

void bind_text(config::Section& section, DataConfig& config) {
  constexpr config::Limits length{1.0, 1e6};
  auto text = section.when("set: text");
  text.bind("length", config.length, "characters in a sample: windows of the text, one behind the other from its start",
            length);
  config.test_samples = 0;
  text.bind("test_samples", config.test_samples,
            "windows at the end of the text that are kept for the test split; 0: no test split", config::non_negative);
}

Hdf5Options hdf5_options(DataConfig const& config) {
  return {static_cast<std::size_t>(config.classes), config.layout == "nchw", config.standardize};
}

std::unique_ptr<Source> open(DataConfig const& config, Split split, Report const& report) {
  auto const size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  if (is_one_of(config.set, {"mnist", "fashion-mnist"})) return open_idx(config.path, split, image_classes);
  if (config.set == "cifar10") return open_cifar10(config.path, split, config.samples == DataConfig::all);
  if (config.set == "cifar100") return open_cifar100(config.path, split);
  if (config.set == "hdf5") return open_hdf5(config.path, split, hdf5_options(config));
  if (config.set == "text") return open_text(config.path, split, size(config.length), size(config.test_samples));
  if (config.set == "images") {
    return open_images(config.path, split, {size(config.size), size(config.resize)}, report);
  }
  if (config.set == "synthetic") {
    auto const samples = split == Split::train ? config.first + config.samples : config.test_samples;
    return make_synthetic({size(samples), size(config.features), size(config.classes)},
                          static_cast<std::uint64_t>(config.seed), split);
  }
  throw InputError(concat("data.set: unknown set '", config.set, "'"));
}

}  // namespace

DataConfig DataConfig::bind(config::Section section) {
  DataConfig config;
  section.choose("set", config.set,
                 {"mnist", "fashion-mnist", "cifar10", "cifar100", "text", "images", "hdf5", "synthetic"},
                 "the data set");
  bind_path(section, config);
  section.bind("first", config.first, "the first training sample to use, counted from 0", config::non_negative);
  section.bind_or_word("samples", config.samples, "all", all, "number of training samples to use",
                       config::at_least_one);
  bind_labels(section, config);
  bind_standardize(section, config);
  if (config.set == "hdf5" || section.documenting()) {
    section.when("set: hdf5")
        .bind_or_word("classes", config.classes, "auto", 0, "number of classes; auto: the largest label in y plus one",
                      config::at_least_one);
  }
  if (config.set == "images" || section.documenting()) bind_images(section, config);
  if (config.set == "synthetic" || section.documenting()) bind_synthetic(section, config);
  if (config.set == "text" || section.documenting()) bind_text(section, config);
  return config;
}

std::unique_ptr<Source> make_source(DataConfig const& config, Split split, Report const& report) {
  auto source = open(config, split, report);
  bool const limited = config.per_label != DataConfig::all && split == Split::train;
  if (config.labels.empty() && !limited) return source;
  auto const most = limited ? static_cast<std::size_t>(config.per_label) : source->description().samples;
  return select_labels(std::move(source), config.labels, most);
}

bool has_test_split(DataConfig const& config) {
  std::filesystem::path const path = config.path;
  std::error_code ignored;
  auto const holds = [&](char const* name) { return std::filesystem::exists(path / name, ignored); };
  if (config.set == "synthetic") return true;
  if (config.set == "hdf5") return hdf5_has_test(path);
  if (config.set == "text") return config.test_samples > 0;
  if (config.set == "images") return images_have_test(path);
  if (config.set == "cifar10") return holds("test_batch.bin");
  if (config.set == "cifar100") return holds("test.bin");
  return holds("t10k-images-idx3-ubyte") || holds("t10k-images-idx3-ubyte.gz");
}

SampleRange sample_range(DataConfig const& config, SourceDescription const& description) {
  auto const available = description.samples;
  auto const first = static_cast<std::size_t>(config.first);
  require_input(first < available, "data.first: ", first, " is beyond the ", available, " samples of ",
                description.name);
  if (config.samples == DataConfig::all) return {first, available - first};
  auto const count = static_cast<std::size_t>(config.samples);
  require_input(count <= available - first, "data.samples: data.first + data.samples = ", first, " + ", count,
                " reaches beyond the ", available, " samples of ", description.name);
  return {first, count};
}

}  // namespace onedge::data
