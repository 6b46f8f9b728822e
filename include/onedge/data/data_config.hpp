#pragma once
// The section `data` of a deck, and the source it asks for.
#include <onedge/config/deck.hpp>
#include <onedge/data/source.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace onedge::data {

enum class Split { train, test };

struct DataConfig {
  static constexpr std::int64_t all = -1;

  std::string set = "fashion-mnist";
  std::string path = "/usr/share/datasets/fashion-mnist";
  std::int64_t first = 0;
  std::int64_t samples = all;
  std::vector<std::int64_t> labels;  // classes to use, which become 0, 1, …; empty: all
  std::int64_t per_label = all;      // most training samples of each label
  std::string standardize = "none";  // none, channel, pixel, imagenet
  std::string layout = "nhwc";       // hdf5: nhwc, nchw
  std::int64_t classes = 0;          // hdf5: 0 takes the largest label + 1; synthetic: 10
  std::int64_t features = 64;        // synthetic
  std::int64_t seed = 0;             // synthetic
  std::int64_t test_samples = 1024;  // synthetic, text
  std::int64_t length = 64;          // text
  std::int64_t size = 224;           // images
  std::int64_t resize = 256;         // images; 0: none

  /// Binds the keys of `section` (all kinds' keys when it documents). Throws InputError.
  static DataConfig bind(config::Section section);
};

/// The run of samples that a deck trains on.
struct SampleRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Takes a line about the progress of a long reading.
using Report = std::function<void(std::string const&)>;

/// Opens the source and checks what can be checked without reading its samples (but for data.labels and data.per_label,
/// which need the labels). Throws InputError naming the file; for Split::test also when the set has no test samples.
std::unique_ptr<Source> make_source(DataConfig const& config, Split split, Report const& report = {});

/// Whether the set, as it lies on disk, has test samples. Throws InputError when an HDF5 file cannot be opened.
bool has_test_split(DataConfig const& config);

/// data.first and data.samples against what the source has. Throws InputError when they reach beyond it.
SampleRange sample_range(DataConfig const& config, SourceDescription const& description);

}  // namespace onedge::data
