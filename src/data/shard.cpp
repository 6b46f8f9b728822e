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

/// input_i = scale · pixel_i
template <class Real, class Space>
struct Scale {
  VectorWindow<std::uint8_t const, Space> pixels;
  VectorWindow<Real, Space> inputs;
  Real scale;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const { inputs(i) = scale * static_cast<Real>(pixels(i)); }
};

}  // namespace

template <class Real, class Space>
Shard<Real, Space>::Shard(HostSamples const& samples) : m_samples(samples.count), m_features(samples.features) {
  require(samples.tokens.empty(), "a shard holds numbers, not integer inputs");
  m_scale = static_cast<Real>(samples.scale);
  m_pixels = to_memory<Space, Vector<std::uint8_t, Space>>("onedge::Shard::pixels", samples.pixels);
  m_reals = to_memory<Space, Vector<Real, Space>>("onedge::Shard::reals", samples.reals);
  m_labels = to_memory<Space, Vector<std::int32_t, Space>>("onedge::Shard::labels", samples.labels);
  require(m_pixels.extent(0) + m_reals.extent(0) == m_samples * m_features && m_labels.extent(0) == m_samples,
          "a shard of ", m_samples, " samples of ", m_features, " values was given ",
          m_pixels.extent(0) + m_reals.extent(0), " values and ", m_labels.extent(0), " labels");
}

template <class Real, class Space>
std::size_t Shard<Real, Space>::bytes() const {
  return m_pixels.extent(0) + m_reals.extent(0) * sizeof(Real) + m_labels.extent(0) * sizeof(std::int32_t);
}

template <class Real, class Space>
void Shard<Real, Space>::load(Space const& space, std::size_t first, std::size_t count,
                              MatrixWindow<Real, Space> plane) const {
  require(first <= m_samples && count <= m_samples - first, "samples ", first, " to ", first + count,
          " of a shard that holds ", m_samples);
  require(plane.extent(0) == count && plane.extent(1) == m_features && plane.span_is_contiguous(), "a plane of [",
          plane.extent(0), ", ", plane.extent(1), "] for samples of [", count, ", ", m_features, "]");
  auto const values = count * m_features;
  if (values == 0) return;
  VectorWindow<Real, Space> const inputs(plane.data(), values);
  if (m_pixels.extent(0) > 0) {
    VectorWindow<std::uint8_t const, Space> const pixels(m_pixels.data() + first * m_features, values);
    Kokkos::parallel_for("onedge::Shard::load", range(space, values), Scale<Real, Space>{pixels, inputs, m_scale});
  } else {
    VectorWindow<Real const, Space> const reals(m_reals.data() + first * m_features, values);
    Kokkos::deep_copy(space, inputs, reals);
  }
}

template <class Real, class Space>
VectorWindow<std::int32_t const, Space> Shard<Real, Space>::labels(std::size_t first, std::size_t count) const {
  require(first <= m_samples && count <= m_samples - first, "labels ", first, " to ", first + count,
          " of a shard that holds ", m_samples);
  return VectorWindow<std::int32_t const, Space>(m_labels.data() + first, count);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Shard<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::data
