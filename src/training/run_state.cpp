#include "run_state.hpp"

#include <onedge/core/error.hpp>

namespace onedge::training {

template <class Real>
std::vector<Real> parameters_of(io::Checkpoint const& checkpoint, network::ParameterLayout const& layout) {
  std::map<std::string, io::Tensor const*> tensors;
  for (auto const& tensor : checkpoint.parameters) tensors[tensor.name] = &tensor;
  std::vector<Real> values;
  for (auto const& tensor : layout.tensors()) {
    auto const found = tensors.find(tensor.name);
    require_input(found != tensors.end() && found->second->shape == tensor.parameter.shape, "the checkpoint of step ",
                  checkpoint.step, " belongs to another model: it has no tensor ", tensor.name, " of this shape");
    auto const part = io::converted<Real>(found->second->values);
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

template <class Real>
std::vector<io::Tensor> tensors_of(std::vector<Real> const& parameters, network::ParameterLayout const& layout) {
  std::vector<io::Tensor> tensors;
  for (auto const& tensor : layout.tensors()) {
    auto const begin = parameters.begin() + static_cast<std::ptrdiff_t>(tensor.parameter.offset);
    std::vector<Real> values(begin, begin + static_cast<std::ptrdiff_t>(tensor.parameter.size()));
    tensors.push_back({tensor.name, tensor.parameter.shape, std::move(values)});
  }
  return tensors;
}

template <class Real, class Space>
io::State state_of(optimizer::Optimizer<Real, Space>& optimizer) {
  io::State state;
  state.numbers = optimizer.scalars();
  for (auto const& vector : optimizer.vectors()) state.vectors[vector.name] = to_vector<Real, Space>(vector.values);
  return state;
}

template <class Real, class Space>
void restore(optimizer::Optimizer<Real, Space>& optimizer, io::State const& state) {
  optimizer.restore_scalars(state.numbers);
  for (auto const& vector : optimizer.vectors()) {
    auto const found = state.vectors.find(vector.name);
    require(found != state.vectors.end(), "the checkpoint's optimizer has no '", vector.name, "'");
    auto const saved = io::converted<Real>(found->second);
    require(saved.size() == vector.values.extent(0), "the checkpoint's optimizer has ", saved.size(), " entries in '",
            vector.name, "', not ", vector.values.extent(0));
    Kokkos::deep_copy(vector.values, VectorWindow<Real const, HostSpace>(saved.data(), saved.size()));
  }
}

template std::vector<float> parameters_of(io::Checkpoint const&, network::ParameterLayout const&);
template std::vector<double> parameters_of(io::Checkpoint const&, network::ParameterLayout const&);
template std::vector<io::Tensor> tensors_of(std::vector<float> const&, network::ParameterLayout const&);
template std::vector<io::Tensor> tensors_of(std::vector<double> const&, network::ParameterLayout const&);
#define ONEDGE_INSTANTIATE(Real, Space)                                         \
  template io::State state_of<Real, Space>(optimizer::Optimizer<Real, Space>&); \
  template void restore<Real, Space>(optimizer::Optimizer<Real, Space>&, io::State const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
