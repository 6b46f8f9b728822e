#pragma once
// A rank's slice of the samples, resident in the memory where the kernels run.
#include <onedge/core/kokkos.hpp>
#include <onedge/data/source.hpp>
#include <onedge/data/standardization.hpp>

#include <cstddef>
#include <cstdint>

namespace onedge::data {

/// Pixels stay bytes until they are used: a quarter of the memory of floats, and of its traffic.
template <class Real, class Space>
class Shard {
 public:
  /// An empty shard.
  Shard() = default;
  /// Copies the samples to the memory of Space. Integer inputs (tokens) are not for this class: Error.
  explicit Shard(HostSamples const& samples, Standardization const& standardization = {});

  std::size_t samples() const { return m_samples; }
  /// Values in one sample.
  std::size_t features() const { return m_features; }
  /// Bytes of memory that the samples take.
  std::size_t bytes() const;

  /// plane [count, features] = samples first … first+count−1 of this shard, as Real. Works on `space` and does not
  /// wait. Error when the samples are not there, or the plane has another shape.
  void load(Space const& space, std::size_t first, std::size_t count, MatrixWindow<Real, Space> plane) const;
  /// Labels of samples first … first+count−1 of this shard.
  VectorWindow<std::int32_t const, Space> labels(std::size_t first, std::size_t count) const;

 private:
  std::size_t m_samples = 0;
  std::size_t m_features = 0;
  Vector<std::uint8_t, Space> m_pixels;  // [samples · features], or empty
  Vector<Real, Space> m_reals;           // [samples · features], standardised, or empty
  Vector<std::int32_t, Space> m_labels;  // [samples]
  Vector<Real, Space> m_mean, m_factor;  // [features]: input = factor · (pixel − mean)
};

}  // namespace onedge::data
