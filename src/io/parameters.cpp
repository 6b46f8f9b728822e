#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/checkpoint.hpp>

#include <set>

#include "values.hpp"

namespace onedge::io {

namespace {

/// A file that has parameters, open; one of ours is checked against its checksum.
hdf5::Group open_parameters(std::filesystem::path const& path) {
  if (hdf5::has_checksum(path)) hdf5::check_whole(path);
  auto const file = hdf5::File::open(path);
  if (is_checkpoint(file)) require_readable_checkpoint(path, file);
  require_input(file.is_group("parameters"), path.string(), " has no group /parameters");
  return file.group("parameters");
}

/// Looks at the shape before it reads.
template <class Real>
std::vector<Real> read_tensor(hdf5::Group const& group, ExpectedTensor const& expected, std::string const& file) {
  require_input(group.has(expected.name), file, ": the model's tensor '", expected.name, "' is missing in /parameters");
  auto const dataset = group.dataset(expected.name);
  auto const shape = dataset.shape();
  require_input(shape == expected.shape, file, ": tensor '", expected.name, "' has the shape ", hdf5::to_string(shape),
                ", the model's has ", hdf5::to_string(expected.shape));
  return converted<Real>(read_values(dataset));
}

void refuse_surplus(hdf5::Group const& group, std::vector<ExpectedTensor> const& expected, std::string const& file) {
  std::set<std::string> known;
  for (auto const& tensor : expected) known.insert(tensor.name);
  for (auto const& name : group.dataset_paths()) {
    require_input(known.contains(name), file, ": the model has no tensor '", name, "'");
  }
}

}  // namespace

std::size_t size_of(Values const& values) {
  return std::visit([](auto const& array) { return array.size(); }, values);
}

template <class Real>
std::vector<Real> converted(Values const& values) {
  return std::visit([](auto const& array) { return std::vector<Real>(array.begin(), array.end()); }, values);
}

template std::vector<float> converted<float>(Values const&);
template std::vector<double> converted<double>(Values const&);

Values read_values(hdf5::Dataset const& dataset) {
  if (dataset.element_type() == hdf5::ElementType::float32) return dataset.read<float>();
  return dataset.read<double>();
}

bool is_checkpoint(hdf5::File const& file) {
  return file.has_attribute("deck") && file.has_attribute("step") && file.is_group("parameters");
}

template <class Real>
std::vector<std::vector<Real>> load_parameters(std::filesystem::path const& path,
                                               std::vector<ExpectedTensor> const& expected) {
  try {
    auto const group = open_parameters(path);
    std::vector<std::vector<Real>> parameters;
    for (auto const& wanted : expected) parameters.push_back(read_tensor<Real>(group, wanted, path.string()));
    refuse_surplus(group, expected, path.string());
    return parameters;
  } catch (Error const& error) {
    throw InputError(error.what());
  }
}

template std::vector<std::vector<float>> load_parameters<float>(std::filesystem::path const&,
                                                                std::vector<ExpectedTensor> const&);
template std::vector<std::vector<double>> load_parameters<double>(std::filesystem::path const&,
                                                                  std::vector<ExpectedTensor> const&);

}  // namespace onedge::io
