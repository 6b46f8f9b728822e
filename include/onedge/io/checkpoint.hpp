#pragma once
// Checkpoints: checkpoint-%08d.h5, self-contained, open to users. `/parameters/<tensor>` holds each tensor in its
// natural shape; the state of optimizer, tuner, … stands in one group each, the trajectory up to this step in another.
// Independent of where the values live while training.
#include <onedge/core/precision.hpp>
#include <onedge/io/trajectory.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace onedge::io {

/// Values in the run's precision.
using Values = std::variant<std::vector<float>, std::vector<double>>;

std::size_t size_of(Values const& values);
/// The values as Real, rounded when the file is in the other precision.
template <class Real>
std::vector<Real> converted(Values const& values);

struct Tensor {
  std::string name;  ///< "dense_0/kernel"
  std::vector<std::size_t> shape;
  Values values;  ///< row-major
};

/// What an optimizer, a tuner or a solver carries from step to step.
struct State {
  std::map<std::string, double> numbers;  ///< attributes of the group, exact
  std::map<std::string, Values> vectors;  ///< flat datasets, e.g. a moment of all parameters
};

struct Checkpoint {
  std::string deck;
  std::int64_t step = 0;  ///< steps done
  Precision precision = Precision::single_precision;
  std::vector<Tensor> parameters;       ///< read back in alphabetical order of their names
  std::map<std::string, State> states;  ///< by group: "optimizer", "tuner", …
  std::optional<Trajectory> trajectory;
  Writer writer = {};  ///< of the file that was read
};

/// "checkpoint-00000100.h5"
std::string checkpoint_name(std::int64_t step);
/// Publishes the checkpoint under its name in that folder and returns its path. Error names the file and the cause.
std::filesystem::path write_checkpoint(std::filesystem::path const& folder, Checkpoint const& checkpoint);
/// Error when the file is missing or no checkpoint, or ("damaged checkpoint: FILE …") when its checksum does not hold.
Checkpoint read_checkpoint(std::filesystem::path const& path);

struct CheckpointFile {
  std::filesystem::path path;
  std::int64_t step = 0;
};
/// The checkpoints in a folder by step; none when there is no folder. Names only, nothing is opened.
std::vector<CheckpointFile> list_checkpoints(std::filesystem::path const& folder);
/// Removes all but number `first` and the last `keep`; 0 keeps all.
void remove_old_checkpoints(std::filesystem::path const& folder, std::size_t keep, std::int64_t first = 0);

struct ExpectedTensor {
  std::string name;
  std::vector<std::size_t> shape;
};
/// The parameters of a checkpoint, or of any HDF5 file that has `/parameters`, in the order of `expected`, row-major.
/// InputError names the tensor that is missing, has another shape, is not of numbers, or is surplus, or says what is
/// wrong with the file.
template <class Real>
std::vector<std::vector<Real>> load_parameters(std::filesystem::path const& path,
                                               std::vector<ExpectedTensor> const& expected);

}  // namespace onedge::io
