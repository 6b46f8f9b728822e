#pragma once
// A rank's slice of the samples, resident in the memory where the kernels run.
#include <onedge/core/kokkos.hpp>
#include <onedge/data/source.hpp>
#include <onedge/data/standardization.hpp>

#include <cstddef>
#include <cstdint>

namespace onedge::data {

/// The extents of a sample that is an image, channels last.
struct ImageShape {
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;
};

/// A sample on its way into a batch: pixel (y, x) becomes pixel (y + down, x + right) of the sample, 0 outside it;
/// where it is flipped, x counts from the right.
struct Placement {
  std::size_t sample = 0;
  std::int32_t down = 0;
  std::int32_t right = 0;
  bool is_flipped = false;
};

/// Inputs are numbers (pixels or reals) or integers (tokens). Pixels stay bytes until they are used: a quarter of the
/// memory of floats, and of its traffic.
template <class Real, class Space>
class Shard {
 public:
  /// An empty shard.
  Shard() = default;
  /// Copies the samples to the memory of Space.
  explicit Shard(HostSamples const& samples, Standardization const& standardization = {});

  std::size_t samples() const { return m_samples; }
  /// Values in one sample.
  std::size_t features() const { return m_features; }
  std::size_t labels_per_sample() const { return m_labels_per_sample; }
  /// Bytes of memory that the samples take.
  std::size_t bytes() const;

  /// plane [count, features] = samples first … first+count−1 of this shard, as Real. Works on `space` and does not
  /// wait. Error when the samples are not there, are tokens, or the plane has another shape.
  void load(Space const& space, std::size_t first, std::size_t count, MatrixWindow<Real, Space> plane) const;
  /// Labels of samples first … first+count−1 of this shard, [count · labels_per_sample].
  VectorWindow<std::int32_t const, Space> labels(std::size_t first, std::size_t count) const;
  /// Their tokens, [count · features]; empty when the inputs are numbers.
  VectorWindow<std::int32_t const, Space> tokens(std::size_t first, std::size_t count) const;
  bool has_pixels() const { return m_pixels.extent(0) > 0; }

  /// Samples first … first+count−1 as a shard that shares their memory.
  Shard slice(std::size_t first, std::size_t count) const;
  /// A shard of the same kind with room for so many samples, whose values are not set.
  Shard like(std::size_t count) const;
  /// target ← these samples, one per placement; `image` has as many values as a sample, and only pixels are moved.
  /// Works on `space` and does not wait.
  void gather(Space const& space, Vector<Placement, Space> placements, ImageShape image, Shard const& target) const;

 private:
  void check_range(std::size_t first, std::size_t count) const;

  std::size_t m_samples = 0;
  std::size_t m_features = 0;
  std::size_t m_labels_per_sample = 1;
  Vector<std::uint8_t, Space> m_pixels;  // [samples · features], or empty
  Vector<Real, Space> m_reals;           // [samples · features], standardised, or empty
  Vector<std::int32_t, Space> m_tokens;  // [samples · features], or empty
  Vector<std::int32_t, Space> m_labels;  // [samples · labels per sample]
  Vector<Real, Space> m_mean, m_factor;  // [features]: input = factor · (pixel − mean)
};

}  // namespace onedge::data
