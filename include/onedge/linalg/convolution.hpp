#pragma once
#include <onedge/core/kokkos.hpp>
#include <onedge/linalg/matmul.hpp>

namespace onedge::linalg {

/// A window that slides over an image; all pairs are (vertical, horizontal), in pixels.
struct SlidingWindow {
  using Pair = Kokkos::Array<std::size_t, 2>;
  Pair image{};  // height and width
  Pair size{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};  // zeros on either side

  std::size_t positions(int axis) const { return (image[axis] + 2 * padding[axis] - size[axis]) / stride[axis] + 1; }
  std::size_t positions() const { return positions(0) * positions(1); }
  std::size_t pixels() const { return image[0] * image[1]; }
  std::size_t area() const { return size[0] * size[1]; }
};

/// The three maps of a convolution, y = x ∗ w and its adjoints. Arrays are contiguous, channels last: x [samples,
/// height, width, channels], w [window height, window width, channels, filters], y [samples, positions, filters].
///
/// Two portable ways. By columns: the pixels under the window side by side, as many samples at a time as `work` has
/// room for, then one matrix product. By rows of the window: at each position, for each row of the window that is
/// inside the image, one product over the samples, with the row's pixels where they lie. That copies nothing and
/// multiplies no padding, which is most of what 3×3 windows see on small images, but needs many samples and channels to
/// be fast.
template <class Real, class Space>
class Convolution {
 public:
  using Constant = MatrixWindow<Real const, Space>;
  using Window = MatrixWindow<Real, Space>;
  using ConstantKernel = VectorWindow<Real const, Space>;
  using Kernel = VectorWindow<Real, Space>;

  Convolution(SlidingWindow const& window, std::size_t channels, std::size_t filters)
      : m_window(window), m_channels(channels), m_filters(filters) {}

  /// Elements of `work` for up to a number of samples.
  std::size_t work(std::size_t samples) const;

  /// y ← [y +] x ∗ w.
  void forward(Space const& space, Constant x, ConstantKernel w, bool adds, Window y, Kernel work) const;
  /// x̄ ← [x̄ +] the adjoint in x: x̄ = Σ over the windows that see a pixel.
  void backward_data(Space const& space, Constant y_bar, ConstantKernel w, bool adds, Window x_bar, Kernel work) const;
  /// w̄ += the adjoint in w.
  void backward_weights(Space const& space, Constant x, Constant y_bar, Kernel w_bar, Kernel work) const;

 private:
  std::size_t depth() const { return m_window.area() * m_channels; }
  std::size_t tile(std::size_t samples) const;
  bool by_rows(std::size_t samples) const;
  /// The part of a kernel that belongs to `count` pixels of the window: [count · channels, filters].
  template <class T>
  MatrixBatch<T> kernel_rows(VectorWindow<T, Space> const& w, std::size_t tap, std::size_t count) const {
    return {w.data() + tap * m_channels * m_filters, count * m_channels, m_filters, m_filters, 0, 0};
  }

  SlidingWindow m_window;
  std::size_t m_channels, m_filters;
};

}  // namespace onedge::linalg
