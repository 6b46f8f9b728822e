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

/// What belongs to samples first … first+count−1 of `samples`.
template <class View>
View part_of(View const& values, std::size_t samples, std::size_t first, std::size_t count) {
  std::size_t const each = samples > 0 ? values.extent(0) / samples : 0;
  return Kokkos::subview(values, std::pair(first * each, (first + count) * each));
}

/// Room for what belongs to `count` samples, where `values` belong to `samples`.
template <class View>
View room_for(View const& values, std::size_t samples, std::size_t count) {
  return uninitialised<View>(values.label(), samples > 0 ? values.extent(0) / samples * count : 0);
}

/// Images, moved as the placements say.
template <class Space>
void move_samples(Space const& space, Vector<Placement, Space> placements, ImageShape image,
                  Vector<std::uint8_t, Space> from, Vector<std::uint8_t, Space> to) {
  std::size_t const row = image.width * image.channels, size = image.height * row;
  Kokkos::parallel_for(
      "onedge::Shard::gather", range(space, placements.extent(0) * image.height), KOKKOS_LAMBDA(std::size_t index) {
        std::size_t const i = index / image.height, y = index % image.height;
        Placement const place = placements(i);
        std::uint8_t* const target = to.data() + index * row;
        auto const source_y = static_cast<std::ptrdiff_t>(y) + place.down;
        bool const is_inside_y = source_y >= 0 && source_y < static_cast<std::ptrdiff_t>(image.height);
        std::uint8_t const* const source = from.data() + place.sample * size + (is_inside_y ? source_y * row : 0);
        for (std::size_t x = 0; x < image.width; ++x) {
          auto const source_x = static_cast<std::ptrdiff_t>(place.is_flipped ? image.width - 1 - x : x) + place.right;
          bool const is_inside = is_inside_y && source_x >= 0 && source_x < static_cast<std::ptrdiff_t>(image.width);
          for (std::size_t c = 0; c < image.channels; ++c) {
            target[x * image.channels + c] = is_inside ? source[source_x * image.channels + c] : 0;
          }
        }
      });
}

/// What belongs to samples and does not move with their pixels.
template <class T, class Space>
void take_samples(Space const& space, Vector<Placement, Space> placements, Vector<T, Space> from, Vector<T, Space> to) {
  std::size_t const count = placements.extent(0), each = count > 0 ? to.extent(0) / count : 0;
  Kokkos::parallel_for(
      "onedge::Shard::gather", range(space, to.extent(0)),
      KOKKOS_LAMBDA(std::size_t index) { to(index) = from(placements(index / each).sample * each + index % each); });
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

template <class Real, class Space>
Shard<Real, Space> Shard<Real, Space>::slice(std::size_t first, std::size_t count) const {
  check_range(first, count);
  Shard result = *this;
  result.m_pixels = part_of(m_pixels, m_samples, first, count);
  result.m_reals = part_of(m_reals, m_samples, first, count);
  result.m_tokens = part_of(m_tokens, m_samples, first, count);
  result.m_labels = part_of(m_labels, m_samples, first, count);
  result.m_samples = count;
  return result;
}

template <class Real, class Space>
Shard<Real, Space> Shard<Real, Space>::like(std::size_t count) const {
  Shard result = *this;
  result.m_pixels = room_for(m_pixels, m_samples, count);
  result.m_reals = room_for(m_reals, m_samples, count);
  result.m_tokens = room_for(m_tokens, m_samples, count);
  result.m_labels = room_for(m_labels, m_samples, count);
  result.m_samples = count;
  return result;
}

template <class Real, class Space>
void Shard<Real, Space>::gather(Space const& space, Vector<Placement, Space> placements, ImageShape image,
                                Shard const& target) const {
  require(placements.extent(0) == target.m_samples && target.m_features == m_features, "gathering ",
          placements.extent(0), " samples into a shard of ", target.m_samples);
  require(image.height * image.width * image.channels == m_features, "images of ", image.height, " by ", image.width,
          " by ", image.channels, " values, not ", m_features);
  if (has_pixels()) move_samples<Space>(space, placements, image, m_pixels, target.m_pixels);
  take_samples<Real, Space>(space, placements, m_reals, target.m_reals);
  take_samples<std::int32_t, Space>(space, placements, m_tokens, target.m_tokens);
  take_samples<std::int32_t, Space>(space, placements, m_labels, target.m_labels);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Shard<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::data
