#include <onedge/core/error.hpp>
#include <onedge/core/version.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/checkpoint.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <system_error>

#include "values.hpp"

namespace onedge::io {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t format_version = 1;
constexpr char const* parameters_group = "parameters";

/// CRC-32 over everything that a checkpoint says, in a fixed order (tensors and states by name).
class Checksum {
 public:
  void add(void const* bytes, std::size_t count) {
    m_value = crc32_z(m_value, static_cast<unsigned char const*>(bytes), count);
  }
  template <class T>
  void add_array(std::vector<T> const& values) {
    add_number(values.size());
    if (!values.empty()) add(values.data(), values.size() * sizeof(T));
  }
  void add_text(std::string const& text) {
    add_number(text.size());
    add(text.data(), text.size());
  }
  template <class T>
  void add_number(T value) {
    add(&value, sizeof value);
  }
  std::string text() const {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08lx", m_value & 0xffffffffUL);
    return concat("crc32:", digits);
  }

 private:
  unsigned long m_value = crc32_z(0, nullptr, 0);
};

std::vector<Tensor const*> by_name(std::vector<Tensor> const& tensors) {
  std::vector<Tensor const*> sorted;
  for (auto const& tensor : tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](auto const* a, auto const* b) { return a->name < b->name; });
  return sorted;
}

std::string checksum_of(Checkpoint const& checkpoint) {
  Checksum sum;
  auto const add_values = [&](auto const& values) { sum.add_array(values); };
  sum.add_text(checkpoint.deck);
  sum.add_number(checkpoint.step);
  sum.add_text(to_string(checkpoint.precision));
  for (auto const* tensor : by_name(checkpoint.parameters)) {
    sum.add_text(tensor->name);
    sum.add_array(tensor->shape);
    std::visit(add_values, tensor->values);
  }
  for (auto const& [group, state] : checkpoint.states) {
    sum.add_text(group);
    for (auto const& [name, number] : state.numbers) {
      sum.add_text(name);
      sum.add_number(number);
    }
    for (auto const& [name, values] : state.vectors) {
      sum.add_text(name);
      std::visit(add_values, values);
    }
  }
  return sum.text();
}

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
  checkpoint.step = file.attribute<std::int64_t>("step");
  bool const single = file.attribute<std::string>("precision") == "single";
  checkpoint.precision = single ? Precision::single_precision : Precision::double_precision;
  auto const parameters = file.group(parameters_group);
  for (auto const& name : parameters.dataset_paths()) {
    auto const dataset = parameters.dataset(name);
    checkpoint.parameters.push_back({name, dataset.shape(), read_values(dataset)});
  }
  for (auto const& name : file.names()) {
    if (name != parameters_group) checkpoint.states[name] = read_state(file.group(name));
  }
  require(checksum_of(checkpoint) == file.attribute<std::string>("checksum"), "its checksum does not hold");
  return checkpoint;
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
    file.write_attribute("software_version", software_version());
    file.write_attribute("git_revision", git_revision());
    file.write_attribute("deck", checkpoint.deck);
    file.write_attribute("step", checkpoint.step);
    file.write_attribute("precision", to_string(checkpoint.precision));
    file.write_attribute("checksum", checksum_of(checkpoint));
    write_tensors(file.create_group(parameters_group), checkpoint.parameters);
    for (auto const& [name, state] : checkpoint.states) write_state(file.create_group(name), state);
  });
  return path;
}

Checkpoint read_checkpoint(fs::path const& path) {
  auto const file = hdf5::File::open(path);
  require(is_checkpoint(file), path.string(), " is not a checkpoint");
  try {
    auto const version = file.attribute<std::int64_t>("format_version");
    require(version <= format_version, "its format version is ", version, ", this program reads up to ",
            format_version);
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
  bool const absent = error == std::errc::no_such_file_or_directory;
  require(!error || absent, "cannot list ", folder.string(), ": ", error.message());
  std::sort(files.begin(), files.end(), [](auto const& a, auto const& b) { return a.step < b.step; });
  return files;
}

void remove_old_checkpoints(fs::path const& folder, std::size_t keep) {
  if (keep == 0) return;
  auto files = list_checkpoints(folder);
  std::erase_if(files, [](CheckpointFile const& file) { return file.step == 0; });
  for (std::size_t i = 0; i + keep < files.size(); ++i) {
    std::error_code error;
    fs::remove(files[i].path, error);
    require(!error, "cannot remove ", files[i].path.string(), ": ", error.message());
  }
}

}  // namespace onedge::io
