#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/checkpoint.hpp>

#include <algorithm>
#include <cstdio>
#include <span>
#include <system_error>

#include "values.hpp"

namespace onedge::io {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t format_version = 2;
constexpr char const* parameters_group = "parameters";
constexpr char const* trajectory_group = "trajectory";

void write_tensors(hdf5::Group group, std::vector<Tensor> const& tensors) {
  for (auto const& tensor : tensors) {
    std::visit([&](auto const& values) { group.write(tensor.name, std::span(values), tensor.shape); }, tensor.values);
  }
}

void write_state(hdf5::Group group, State const& state) {
  for (auto const& [name, number] : state.numbers) group.write_attribute(name, number);
  for (auto const& [name, values] : state.vectors) {
    std::visit([&, &name = name](auto const& array) { group.write(name, array); }, values);
  }
}

State read_state(hdf5::Group const& group) {
  State state;
  for (auto const& name : group.attribute_names()) state.numbers[name] = group.attribute<double>(name);
  for (auto const& name : group.dataset_paths()) state.vectors[name] = read_values(group.dataset(name));
  return state;
}

Checkpoint read_contents(hdf5::File const& file) {
  Checkpoint checkpoint;
  checkpoint.deck = file.attribute<std::string>("deck");
  checkpoint.writer = read_writer(file);
  checkpoint.step = file.attribute<std::int64_t>("step");
  bool const single = file.attribute<std::string>("precision") == "single";
  checkpoint.precision = single ? Precision::single_precision : Precision::double_precision;
  auto const parameters = file.group(parameters_group);
  for (auto const& name : parameters.dataset_paths()) {
    auto const dataset = parameters.dataset(name);
    checkpoint.parameters.push_back({name, dataset.shape(), read_values(dataset)});
  }
  for (auto const& name : file.names()) {
    if (name == trajectory_group) {
      checkpoint.trajectory = Trajectory::read(file.group(name));
    } else if (name != parameters_group) {
      checkpoint.states[name] = read_state(file.group(name));
    }
  }
  return checkpoint;
}

void check_whole(fs::path const& path) {
  try {
    hdf5::check_whole(path);
  } catch (Error const& error) {
    throw Error(concat("damaged checkpoint: ", error.what()));
  }
}

void require_known_format(hdf5::File const& file) {
  auto const version = file.attribute<std::int64_t>("format_version");
  require(version <= format_version, "its format version is ", version, ", this program reads up to ", format_version,
          "; it was written by OnEdge ", read_writer(file).version);
}

/// The number in "checkpoint-00000100.h5"; −1 for any other name.
std::int64_t step_of(std::string const& name) {
  long long step = -1;
  if (std::sscanf(name.c_str(), "checkpoint-%lld.h5", &step) != 1 || step < 0) return -1;
  return checkpoint_name(step) == name ? step : -1;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
  char name[48];
  std::snprintf(name, sizeof name, "checkpoint-%08lld.h5", static_cast<long long>(step));
  return name;
}

fs::path write_checkpoint(fs::path const& folder, Checkpoint const& checkpoint) {
  auto const path = folder / checkpoint_name(checkpoint.step);
  hdf5::publish(path, [&](hdf5::File& file) {
    file.write_attribute("format_version", format_version);
    write_writer(file);
    file.write_attribute("deck", checkpoint.deck);
    file.write_attribute("step", checkpoint.step);
    file.write_attribute("precision", to_string(checkpoint.precision));
    write_tensors(file.create_group(parameters_group), checkpoint.parameters);
    for (auto const& [name, state] : checkpoint.states) write_state(file.create_group(name), state);
    if (!checkpoint.trajectory) return;
    write_identity(file, checkpoint.trajectory->description().data);
    auto group = file.create_group(trajectory_group);
    checkpoint.trajectory->write(group);
  });
  return path;
}

void require_readable_checkpoint(fs::path const& path, hdf5::File const& file) {
  check_whole(path);
  require_known_format(file);
}

Checkpoint read_checkpoint(fs::path const& path) {
  check_whole(path);
  auto const file = hdf5::File::open(path);
  require(is_checkpoint(file), path.string(), " is not a checkpoint");
  try {
    require_known_format(file);
    return read_contents(file);
  } catch (std::exception const& error) {
    throw Error(concat("damaged checkpoint ", path.string(), ": ", error.what()));
  }
}

std::vector<CheckpointFile> list_checkpoints(fs::path const& folder) {
  std::vector<CheckpointFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    auto const step = step_of(entry->path().filename().string());
    if (step >= 0) files.push_back({entry->path(), step});
  }
  bool const absent = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  require(!error || absent, "cannot list ", folder.string(), ": ", error.message());
  std::sort(files.begin(), files.end(), [](auto const& a, auto const& b) { return a.step < b.step; });
  return files;
}

void remove_old_checkpoints(fs::path const& folder, std::size_t keep, std::int64_t first) {
  if (keep == 0) return;
  auto files = list_checkpoints(folder);
  std::erase_if(files, [&](CheckpointFile const& file) { return file.step == first; });
  for (std::size_t i = 0; i + keep < files.size(); ++i) {
    std::error_code error;
    fs::remove(files[i].path, error);
    require(!error, "cannot remove ", files[i].path.string(), ": ", error.message());
  }
}

}  // namespace onedge::io
