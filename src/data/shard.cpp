#include <onedge/core/error.hpp>
#include <onedge/data/shard.hpp>

namespace onedge::data {

namespace {

template <class Space, class View, class T>
View to_memory(std::string const& label, std::vector<T> const& values) {
  auto const view = uninitialised<View>(label, values.size());
  auto const view_host = Kokkos::create_mirror_view(view);
  for (std::size_t i = 0; i < values.size(); ++i) {
    view_host(i) = static_cast<typename View::non_const_value_type>(values[i]);
  }
  Kokkos::deep_copy(view, view_host);
  return view;
}

/// input_ij = factor_j · (pixel_ij − mean_j)
template <class Real, class Space>
void scale(Space const& space, MatrixWindow<std::uint8_t const, Space> pixels, Vector<Real, Space> mean,
           Vector<Real, Space> factor, MatrixWindow<Real, Space> inputs) {
  std::size_t const features = inputs.extent(1);
  if constexpr (is_host_space<Space>) {
    Kokkos::parallel_for(
        "onedge::Shard::load", range(space, inputs.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
          for (std::size_t j = 0; j < features; ++j) {
            inputs(i, j) = factor(j) * (static_cast<Real>(pixels(i, j)) - mean(j));
          }
        });
  } else {
    Kokkos::parallel_for(
        "onedge::Shard::load", range(space, inputs.size()), KOKKOS_LAMBDA(std::size_t index) {
          std::size_t const i = index / features, j = index % features;
          inputs(i, j) = factor(j) * (static_cast<Real>(pixels(i, j)) - mean(j));
        });
  }
}

/// Numbers for every value of a sample, in double.
struct Scaling {
  Scaling(HostSamples const& samples, Standardization const& standardization)
      : mean(samples.features, 0.0), factor(samples.features, samples.pixels.empty() ? 1.0 : samples.scale) {
    for (std::size_t i = 0; i < samples.features && !standardization.empty(); ++i) {
      mean[i] = standardization.mean[i % standardization.size()];
      factor[i] = 1.0 / standardization.deviation[i % standardization.size()];
    }
  }
  std::vector<double> mean, factor;
};

std::vector<double> scaled(std::vector<double> reals, Scaling const& scaling) {
  for (std::size_t i = 0; i < reals.size(); ++i) {
    std::size_t const j = i % scaling.mean.size();
    reals[i] = (reals[i] - scaling.mean[j]) * scaling.factor[j];
  }
  return reals;
}

}  // namespace

template <class Real, class Space>
Shard<Real, Space>::Shard(HostSamples const& samples, Standardization const& standardization)
    : m_samples(samples.count), m_features(samples.features) {
  Scaling const scaling(samples, standardization);
  m_mean = to_memory<Space, Vector<Real, Space>>("onedge::Shard::mean", scaling.mean);
  m_factor = to_memory<Space, Vector<Real, Space>>("onedge::Shard::factor", scaling.factor);
  m_pixels = to_memory<Space, Vector<std::uint8_t, Space>>("onedge::Shard::pixels", samples.pixels);
  m_reals = to_memory<Space, Vector<Real, Space>>("onedge::Shard::reals", scaled(samples.reals, scaling));
  m_tokens = to_memory<Space, Vector<std::int32_t, Space>>("onedge::Shard::tokens", samples.tokens);
  m_labels = to_memory<Space, Vector<std::int32_t, Space>>("onedge::Shard::labels", samples.labels);
  if (m_samples > 0) m_labels_per_sample = m_labels.extent(0) / m_samples;
  std::size_t const values = m_pixels.extent(0) + m_reals.extent(0) + m_tokens.extent(0);
  require(values == m_samples * m_features && m_labels.extent(0) == m_samples * m_labels_per_sample, "a shard of ",
          m_samples, " samples of ", m_features, " values was given ", values, " values and ", m_labels.extent(0),
          " labels");
}

template <class Real, class Space>
std::size_t Shard<Real, Space>::bytes() const {
  return m_pixels.extent(0) + m_reals.extent(0) * sizeof(Real) +
         (m_tokens.extent(0) + m_labels.extent(0)) * sizeof(std::int32_t);
}

template <class Real, class Space>
void Shard<Real, Space>::check_range(std::size_t first, std::size_t count) const {
  require(first <= m_samples && count <= m_samples - first, "samples ", first, " to ", first + count,
          " of a shard that holds ", m_samples);
}

template <class Real, class Space>
void Shard<Real, Space>::load(Space const& space, std::size_t first, std::size_t count,
                              MatrixWindow<Real, Space> plane) const {
  check_range(first, count);
  require(m_tokens.extent(0) == 0, "tokens have no plane to be loaded into");
  require(plane.extent(0) == count && plane.extent(1) == m_features && plane.span_is_contiguous(), "a plane of [",
          plane.extent(0), ", ", plane.extent(1), "] for samples of [", count, ", ", m_features, "]");
  if (plane.size() == 0) return;
  if (m_pixels.extent(0) > 0) {
    MatrixWindow<std::uint8_t const, Space> const pixels(m_pixels.data() + first * m_features, count, m_features);
    scale<Real, Space>(space, pixels, m_mean, m_factor, plane);
  } else {
    MatrixWindow<Real const, Space> const reals(m_reals.data() + first * m_features, count, m_features);
    Kokkos::deep_copy(space, plane, reals);
  }
}

template <class Real, class Space>
VectorWindow<std::int32_t const, Space> Shard<Real, Space>::labels(std::size_t first, std::size_t count) const {
  check_range(first, count);
  return VectorWindow<std::int32_t const, Space>(m_labels.data() + first * m_labels_per_sample,
                                                 count * m_labels_per_sample);
}

template <class Real, class Space>
VectorWindow<std::int32_t const, Space> Shard<Real, Space>::tokens(std::size_t first, std::size_t count) const {
  check_range(first, count);
  if (m_tokens.extent(0) == 0) return {};
  return VectorWindow<std::int32_t const, Space>(m_tokens.data() + first * m_features, count * m_features);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Shard<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::data
