#pragma once
// A run's weights and optimizer, between the memory of Space and checkpoints.
#include <onedge/io/checkpoint.hpp>
#include <onedge/network/value.hpp>
#include <onedge/optimizer/optimizer.hpp>

#include <vector>

namespace onedge::training {

/// The group of the eigenvectors of a tuner that asks for the sharpness.
inline constexpr char const* tuner_meter_group = "tuner_sharpness";

template <class Real, class Space>
Vector<Real, Space> to_space(std::vector<Real> const& values, std::string const& label) {
  auto result = uninitialised<Vector<Real, Space>>(label, values.size());
  Kokkos::deep_copy(result, VectorWindow<Real const, HostSpace>(values.data(), values.size()));
  return result;
}

template <class Real, class Space>
std::vector<Real> to_vector(VectorWindow<Real const, Space> values) {
  std::vector<Real> result(values.extent(0));
  Kokkos::deep_copy(VectorWindow<Real, HostSpace>(result.data(), result.size()), values);
  return result;
}

/// The flat vector of a checkpoint's tensors in the order of the layout. Throws InputError when one is missing or has
/// another shape.
template <class Real>
std::vector<Real> parameters_of(io::Checkpoint const& checkpoint, network::ParameterLayout const& layout);

/// The tensors of a flat vector.
template <class Real>
std::vector<io::Tensor> tensors_of(std::vector<Real> const& parameters, network::ParameterLayout const& layout);

template <class Real, class Space>
io::State state_of(optimizer::Optimizer<Real, Space>& optimizer);

/// Throws Error where something is missing or of another length.
template <class Real, class Space>
void restore(optimizer::Optimizer<Real, Space>& optimizer, io::State const& state);

}  // namespace onedge::training
