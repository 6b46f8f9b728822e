#include <onedge/linalg/convolution.hpp>
#include <onedge/linalg/for_each_run.hpp>
#include <onedge/linalg/matmul.hpp>

#include <algorithm>

namespace onedge::linalg {

namespace {

// Elements that the columns may take: on the host what stays in a core's cache, on a device what keeps it busy.
template <class Space>
constexpr std::size_t column_budget = is_host_space<Space> ? std::size_t{1} << 18 : std::size_t{1} << 26;

KOKKOS_INLINE_FUNCTION std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }
KOKKOS_INLINE_FUNCTION std::size_t larger(std::size_t a, std::size_t b) { return a < b ? b : a; }

/// columns[sample, position, a, b, c] = x[sample, pixel of the position under (a, b), c], 0 in the padding.
template <class Real>
struct Unfold {
  SlidingWindow window;
  std::size_t channels, down, across;  // positions
  Real const* x;
  Real* columns;

  /// Item i: sample, position and row a of the window, whose pixels lie side by side in the image too.
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i, std::size_t begin, std::size_t end) const {
    std::size_t const position = i / window.size[0];
    std::size_t const row = position / across % down * window.stride[0] + i % window.size[0];  // padded, from the top
    std::size_t const left = position % across * window.stride[1];
    bool const inside = row >= window.padding[0] && row < window.padding[0] + window.image[0];
    std::size_t const before = left < window.padding[1] ? (window.padding[1] - left) * channels : 0;
    std::size_t const right = window.padding[1] + window.image[1];
    std::size_t const behind = left < right ? (right - left) * channels : 0;
    std::size_t const first = inside ? smaller(larger(begin, before), end) : end;
    std::size_t const last = inside ? larger(smaller(end, behind), first) : end;
    std::size_t const sample = position / (down * across);
    Real const* const source =
        x + (sample * window.image[0] + (inside ? row - window.padding[0] : 0)) * window.image[1] * channels;
    std::size_t const skipped = left * channels;
    std::size_t const padded = window.padding[1] * channels;
    Real* const target = columns + i * window.size[1] * channels;
    for (std::size_t e = begin; e < first; ++e) target[e] = Real(0);
    for (std::size_t e = first; e < last; ++e) target[e] = source[skipped + e - padded];
    for (std::size_t e = last; e < end; ++e) target[e] = Real(0);
  }
};

/// x̄[sample, pixel, c] ← [x̄ +] Σ of the columns that hold the pixel: the adjoint of Unfold, without two writers.
template <class Real>
struct Fold {
  SlidingWindow window;
  std::size_t channels, down, across;
  Real const* columns;
  bool adds;
  Real* x_bar;

  /// Item i: sample and pixel.
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i, std::size_t begin, std::size_t end) const {
    std::size_t const row = i / window.image[1] % window.image[0] + window.padding[0];
    std::size_t const column = i % window.image[1] + window.padding[1];
    std::size_t const sample = i / (window.image[0] * window.image[1]);
    std::size_t const area = window.size[0] * window.size[1];
    Real* const target = x_bar + i * channels;
    if (!adds) {
      for (std::size_t c = begin; c < end; ++c) target[c] = Real(0);
    }
    for (std::size_t a = row % window.stride[0]; a < window.size[0] && a <= row; a += window.stride[0]) {
      std::size_t const y = (row - a) / window.stride[0];
      if (y >= down) continue;
      for (std::size_t b = column % window.stride[1]; b < window.size[1] && b <= column; b += window.stride[1]) {
        std::size_t const x = (column - b) / window.stride[1];
        if (x >= across) continue;
        Real const* const source =
            columns + (((sample * down + y) * across + x) * area + a * window.size[1] + b) * channels;
        for (std::size_t c = begin; c < end; ++c) target[c] += source[c];
      }
    }
  }
};

// From how many samples and channels on products by rows of the window are the faster way (measured in float).
constexpr std::size_t enough_samples = 16, enough_channels = 32;

/// A row of the window at one position, in so far as it is inside the image: `count` neighbouring pixels of the image
/// under as many neighbouring pixels of the window.
struct WindowRow {
  std::size_t position, pixel, tap, count;
  bool first;  // of its position
};

template <class Visit>
void for_each_window_row(SlidingWindow const& window, Visit const& visit) {
  auto const& [image, size, stride, padding] = window;
  for (std::size_t position = 0; position < window.positions(); ++position) {
    std::size_t const top = position / window.positions(1) * stride[0];
    std::size_t const left = position % window.positions(1) * stride[1];
    std::size_t const begin = left < padding[1] ? padding[1] - left : 0;
    std::size_t const end = smaller(size[1], padding[1] + image[1] - left);
    bool first = true;
    for (std::size_t a = 0; a < size[0]; ++a) {
      if (top + a < padding[0] || top + a >= padding[0] + image[0]) continue;
      std::size_t const pixel = (top + a - padding[0]) * image[1] + left + begin - padding[1];
      visit(WindowRow{position, pixel, a * size[1] + begin, end - begin, first});
      first = false;
    }
  }
}

/// The same run of entries of all samples, one row each.
template <class Window>
MatrixBatch<typename Window::value_type> entries(Window const& samples, std::size_t offset, std::size_t count) {
  return {samples.data() + offset, samples.extent(0), count, samples.extent(1), 0, 0};
}

template <class Real, class Space>
void multiply(Space const& space, Transpose ta, MatrixBatch<Real const> const& a, Transpose tb,
              MatrixBatch<Real const> const& b, bool adds, MatrixBatch<Real> const& c) {
  matmul_batch<Real>(space, 1, 1, ta, tb, Real(1), a, b, adds ? 1 : 0, c);
}

}  // namespace

template <class Real, class Space>
bool Convolution<Real, Space>::by_rows(std::size_t samples) const {
  bool const sees_pixels = m_window.padding[0] < m_window.size[0] && m_window.padding[1] < m_window.size[1];
  // A device would be starved by products this small.
  return is_host_space<Space> && sees_pixels && samples >= enough_samples && m_channels >= enough_channels;
}

template <class Real, class Space>
std::size_t Convolution<Real, Space>::tile(std::size_t samples) const {
  std::size_t const sample = m_window.positions() * depth();
  return std::min(samples, std::max(std::size_t{1}, column_budget<Space> / sample));
}

template <class Real, class Space>
std::size_t Convolution<Real, Space>::work(std::size_t samples) const {
  std::size_t const largest = by_rows(samples) ? enough_samples - 1 : samples;
  return tile(largest) * m_window.positions() * depth();
}

template <class Real, class Space>
void Convolution<Real, Space>::forward(Space const& space, Constant x, ConstantKernel w, bool adds, Window y,
                                       Kernel work) const {
  if (by_rows(x.extent(0))) {
    return for_each_window_row(m_window, [&](WindowRow const& row) {
      multiply<Real>(space, Transpose::no, entries(x, row.pixel * m_channels, row.count * m_channels), Transpose::no,
                     kernel_rows(w, row.tap, row.count), adds || !row.first,
                     entries(y, row.position * m_filters, m_filters));
    });
  }
  Constant const kernel(w.data(), depth(), m_filters);
  std::size_t const positions = m_window.positions();
  for (std::size_t first = 0, count = tile(x.extent(0)); first < x.extent(0); first += count) {
    std::size_t const rows = std::min(count, x.extent(0) - first) * positions;
    Unfold<Real> const unfold{
        m_window,   m_channels, m_window.positions(0), m_window.positions(1), x.data() + first * x.extent(1),
        work.data()};
    for_each_run(space, "onedge::Convolution::unfold", rows * m_window.size[0], m_window.size[1] * m_channels, unfold);
    matmul<Real>(space, Transpose::no, Transpose::no, Real(1), Constant(work.data(), rows, depth()), kernel,
                 adds ? 1 : 0, Window(y.data() + first * y.extent(1), rows, m_filters));
  }
}

template <class Real, class Space>
void Convolution<Real, Space>::backward_data(Space const& space, Constant y_bar, ConstantKernel w, bool adds,
                                             Window x_bar, Kernel work) const {
  if (by_rows(x_bar.extent(0))) {
    if (!adds) Kokkos::deep_copy(space, x_bar, Real(0));
    return for_each_window_row(m_window, [&](WindowRow const& row) {
      multiply<Real>(space, Transpose::no, entries(y_bar, row.position * m_filters, m_filters), Transpose::yes,
                     kernel_rows(w, row.tap, row.count), true,
                     entries(x_bar, row.pixel * m_channels, row.count * m_channels));
    });
  }
  Constant const kernel(w.data(), depth(), m_filters);
  std::size_t const positions = m_window.positions();
  for (std::size_t first = 0, count = tile(x_bar.extent(0)); first < x_bar.extent(0); first += count) {
    std::size_t const samples = std::min(count, x_bar.extent(0) - first);
    matmul<Real>(space, Transpose::no, Transpose::yes, Real(1),
                 Constant(y_bar.data() + first * y_bar.extent(1), samples * positions, m_filters), kernel, Real(0),
                 Window(work.data(), samples * positions, depth()));
    Fold<Real> const fold{m_window,
                          m_channels,
                          m_window.positions(0),
                          m_window.positions(1),
                          work.data(),
                          adds,
                          x_bar.data() + first * x_bar.extent(1)};
    for_each_run(space, "onedge::Convolution::fold", samples * m_window.pixels(), m_channels, fold);
  }
}

template <class Real, class Space>
void Convolution<Real, Space>::backward_weights(Space const& space, Constant x, Constant y_bar, Kernel w_bar,
                                                Kernel work) const {
  if (by_rows(x.extent(0))) {
    return for_each_window_row(m_window, [&](WindowRow const& row) {
      multiply<Real>(space, Transpose::yes, entries(x, row.pixel * m_channels, row.count * m_channels), Transpose::no,
                     entries(y_bar, row.position * m_filters, m_filters), true, kernel_rows(w_bar, row.tap, row.count));
    });
  }
  std::size_t const positions = m_window.positions();
  for (std::size_t first = 0, count = tile(x.extent(0)); first < x.extent(0); first += count) {
    std::size_t const rows = std::min(count, x.extent(0) - first) * positions;
    Unfold<Real> const unfold{
        m_window,   m_channels, m_window.positions(0), m_window.positions(1), x.data() + first * x.extent(1),
        work.data()};
    for_each_run(space, "onedge::Convolution::unfold", rows * m_window.size[0], m_window.size[1] * m_channels, unfold);
    matmul<Real>(space, Transpose::yes, Transpose::no, Real(1), Constant(work.data(), rows, depth()),
                 Constant(y_bar.data() + first * y_bar.extent(1), rows, m_filters), Real(1),
                 Window(w_bar.data(), depth(), m_filters));
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Convolution<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::linalg
