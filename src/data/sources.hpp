#pragma once
// The kinds of source, one file each.
#include <onedge/data/data_config.hpp>
#include <onedge/data/source.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace onedge::data {

/// MNIST's format (yann.lecun.com/exdb/mnist): train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-…, each plain or
/// with .gz.
std::unique_ptr<Source> open_idx(std::filesystem::path const& folder, Split split, std::size_t classes);

/// data_batch_1.bin … data_batch_5.bin one after another, up to the first that is missing; or test_batch.bin. Where one
/// is missing between others, InputError if `all` samples are wanted, else a warning.
std::unique_ptr<Source> open_cifar10(std::filesystem::path const& folder, Split split, bool all);
/// train.bin or test.bin; labels are the fine ones.
std::unique_ptr<Source> open_cifar100(std::filesystem::path const& folder, Split split);

struct Hdf5Options {
  std::size_t classes = 0;           // 0: the largest label + 1
  bool channels_first = false;       // images are [channels, height, width]
  std::string standardize = "none";  // what is to become of the values, for warnings
};
/// Datasets x [samples, …] and y [samples] (x_test, y_test) of one file.
std::unique_ptr<Source> open_hdf5(std::filesystem::path const& file, Split split, Hdf5Options const& options);
bool hdf5_has_test(std::filesystem::path const& file);

struct SyntheticShape {
  std::size_t samples;
  std::size_t features;
  std::size_t classes;
};
/// Inputs from N(0, 1), labels from a random teacher network.
std::unique_ptr<Source> make_synthetic(SyntheticShape const& shape, std::uint64_t seed, Split split);

/// Windows of `length` characters of a text in UTF-8, one behind the other from its start; the last `test_samples` of
/// them are the test split. The vocabulary is the sorted set of the characters of the whole text.
std::unique_ptr<Source> open_text(std::filesystem::path const& file, Split split, std::size_t length,
                                  std::size_t test_samples);

struct ImageOptions {
  std::size_t size;    // of the square that is cut out of the middle
  std::size_t resize;  // of the shorter side before that; 0: as it is
};
/// FOLDER/train/CLASS/IMAGE.jpg and FOLDER/val/CLASS/IMAGE.jpg, or FOLDER/CLASS/IMAGE.jpg; classes and images in
/// alphabetical order, hidden files left out.
std::unique_ptr<Source> open_images(std::filesystem::path const& folder, Split split, ImageOptions const& options,
                                    Report report);
bool images_have_test(std::filesystem::path const& folder);

/// The samples of `source` that have one of these labels, in its order, and at most `per_label` of each. Label
/// labels[i] becomes i; without labels all stay as they are. Reads the labels; InputError when no sample is left.
std::unique_ptr<Source> select_labels(std::unique_ptr<Source> source, std::vector<std::int64_t> labels,
                                      std::size_t per_label);

}  // namespace onedge::data
