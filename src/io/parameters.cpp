#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/checkpoint.hpp>

#include <algorithm>

#include "values.hpp"

namespace onedge::io {

namespace {

/// The parameters of any file that has them; those of a checkpoint are checked against its checksum.
std::vector<Tensor> read_parameters(std::filesystem::path const& path) {
  if (hdf5::has_checksum(path)) hdf5::check_whole(path);
  auto const file = hdf5::File::open(path);
  if (is_checkpoint(file)) return read_checkpoint(path).parameters;
  require_input(file.is_group("parameters"), path.string(), " has no group /parameters");
  std::vector<Tensor> tensors;
  auto const group = file.group("parameters");
  for (auto const& name : group.dataset_paths()) {
    auto const dataset = group.dataset(name);
    tensors.push_back({name, dataset.shape(), read_values(dataset)});
  }
  return tensors;
}

Tensor const& find(std::vector<Tensor> const& tensors, ExpectedTensor const& expected, std::string const& file) {
  auto const found =
      std::find_if(tensors.begin(), tensors.end(), [&](Tensor const& tensor) { return tensor.name == expected.name; });
  require_input(found != tensors.end(), file, ": the model's tensor '", expected.name, "' is missing in /parameters");
  require_input(found->shape == expected.shape, file, ": tensor '", expected.name, "' has the shape ",
                hdf5::to_string(found->shape), ", the model's has ", hdf5::to_string(expected.shape));
  return *found;
}

void refuse_surplus(std::vector<Tensor> const& tensors, std::vector<ExpectedTensor> const& expected,
                    std::string const& file) {
  for (auto const& tensor : tensors) {
    bool const known = std::any_of(expected.begin(), expected.end(),
                                   [&](ExpectedTensor const& wanted) { return wanted.name == tensor.name; });
    require_input(known, file, ": the model has no tensor '", tensor.name, "'");
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
  std::vector<Tensor> tensors;
  try {
    tensors = read_parameters(path);
  } catch (Error const& error) {
    throw InputError(error.what());
  }
  std::vector<std::vector<Real>> parameters;
  for (auto const& wanted : expected)
    parameters.push_back(converted<Real>(find(tensors, wanted, path.string()).values));
  refuse_surplus(tensors, expected, path.string());
  return parameters;
}

template std::vector<std::vector<float>> load_parameters<float>(std::filesystem::path const&,
                                                                std::vector<ExpectedTensor> const&);
template std::vector<std::vector<double>> load_parameters<double>(std::filesystem::path const&,
                                                                  std::vector<ExpectedTensor> const&);

}  // namespace onedge::io
