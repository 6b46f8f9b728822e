// The three maps of a convolution against plain loops: both precisions, odd windows, strides and paddings, more samples
// than the work array has room for.
#include <onedge/core/random.hpp>
#include <onedge/linalg/convolution.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace onedge::linalg {
namespace {

using Space = DefaultSpace;

struct Case {
  SlidingWindow window;
  std::size_t channels, filters, samples;
};

std::vector<Case> const& cases() {
  static std::vector<Case> const all{
      {{{5, 4}, {3, 3}, {1, 1}, {1, 1}}, 2, 3, 3},     // 3×3 as in a residual block
      {{{7, 6}, {3, 3}, {2, 2}, {1, 1}}, 3, 2, 2},     // strided
      {{{9, 9}, {7, 7}, {2, 2}, {3, 3}}, 3, 4, 2},     // stem
      {{{6, 8}, {2, 4}, {2, 4}, {0, 0}}, 3, 5, 3},     // patches
      {{{5, 5}, {1, 1}, {2, 2}, {0, 0}}, 4, 3, 2},     // projection
      {{{8, 7}, {2, 3}, {3, 2}, {1, 2}}, 3, 2, 2},     // nothing divides anything; the last pixels are never seen
      {{{1, 1}, {3, 3}, {1, 1}, {1, 1}}, 5, 4, 4},     // padding almost everywhere
      {{{1, 2}, {5, 5}, {2, 1}, {4, 4}}, 2, 2, 2},     // windows that see padding only
      {{{16, 16}, {3, 3}, {1, 1}, {1, 1}}, 32, 4, 7},  // several tiles
      {{{4, 3}, {3, 3}, {1, 1}, {1, 1}}, 32, 5, 17},   // by rows of the window, and so below
      {{{1, 1}, {3, 3}, {1, 1}, {1, 1}}, 33, 3, 16},  {{{5, 4}, {3, 2}, {2, 3}, {1, 0}}, 32, 3, 20},
      {{{3, 3}, {1, 1}, {2, 2}, {0, 0}}, 40, 2, 16},  {{{6, 6}, {5, 3}, {4, 2}, {3, 2}}, 32, 2, 18},
      {{{2, 2}, {3, 3}, {1, 1}, {4, 1}}, 32, 2, 16}  // not by rows: windows that see padding only
  };
  return all;
}

std::vector<double> numbers(char const* name, std::size_t count) {
  RandomStream const random(1, name);
  std::vector<double> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<double>(static_cast<float>(random.normal(i)));
  return result;
}

/// visit(x index, w index, y index) for every product of a convolution.
template <class Visit>
void for_each_product(Case const& c, Visit const& visit) {
  auto const& [image, size, stride, padding] = c.window;
  auto const down = static_cast<long>(c.window.positions(0)), across = static_cast<long>(c.window.positions(1));
  auto const pair = [](auto const& p, int i) { return static_cast<long>(p[static_cast<std::size_t>(i)]); };
  auto const channels = static_cast<long>(c.channels), filters = static_cast<long>(c.filters);
  for (long n = 0; n < static_cast<long>(c.samples); ++n)
    for (long i = 0; i < down * across; ++i)
      for (long k = 0; k < pair(size, 0) * pair(size, 1); ++k) {
        long const row = i / across * pair(stride, 0) + k / pair(size, 1) - pair(padding, 0);
        long const column = i % across * pair(stride, 1) + k % pair(size, 1) - pair(padding, 1);
        if (row < 0 || row >= pair(image, 0) || column < 0 || column >= pair(image, 1)) continue;
        for (long a = 0; a < channels; ++a)
          for (long b = 0; b < filters; ++b) {
            visit(((n * pair(image, 0) + row) * pair(image, 1) + column) * channels + a,
                  (k * channels + a) * filters + b, (n * down * across + i) * filters + b);
          }
      }
}

template <class Real>
class ConvolutionTest : public testing::Test {
 public:
  using Array = Vector<Real, Space>;

  static Array array(std::vector<double> const& values) {
    Array result("onedge::test::array", values.size());
    auto const result_host = Kokkos::create_mirror_view(result);
    for (std::size_t i = 0; i < values.size(); ++i) result_host(i) = static_cast<Real>(values[i]);
    Kokkos::deep_copy(result, result_host);
    return result;
  }
  static MatrixWindow<Real, Space> by_sample(Array const& values, std::size_t samples) {
    return MatrixWindow<Real, Space>(values.data(), samples, values.extent(0) / samples);
  }
  static void expect_near(Array const& actual, std::vector<double> const& expected, char const* what) {
    auto const actual_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), actual);
    double error = 0, size = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      error = std::max(error, std::abs(static_cast<double>(actual_host(i)) - expected[i]));
      size = std::max(size, std::abs(expected[i]));
    }
    EXPECT_LE(error, 50 * std::numeric_limits<Real>::epsilon() * size) << what;
  }
};

using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(ConvolutionTest, Precisions);

TYPED_TEST(ConvolutionTest, EqualsPlainLoops) {
  using Real = TypeParam;
  for (auto const& c : cases()) {
    SCOPED_TRACE(testing::Message() << "window " << c.window.size[0] << "x" << c.window.size[1] << " on "
                                    << c.window.image[0] << "x" << c.window.image[1] << "x" << c.channels);
    auto const x = numbers("x", c.samples * c.window.pixels() * c.channels);
    auto const w = numbers("w", c.window.area() * c.channels * c.filters);
    auto const y_bar = numbers("y_bar", c.samples * c.window.positions() * c.filters);
    Convolution<Real, Space> const convolution(c.window, c.channels, c.filters);
    Vector<Real, Space> const work("onedge::test::work", convolution.work(c.samples));
    auto const x_view = this->array(x), w_view = this->array(w), y_bar_view = this->array(y_bar);
    for (bool const adds : {false, true}) {
      double const start = adds ? 1 : std::nan("");
      auto const start_of = [&](std::size_t size) { return std::vector<double>(size, start); };
      std::vector<double> y(y_bar.size(), adds), x_bar(x.size(), adds), w_bar(w.size(), 1);
      for_each_product(c, [&](long i, long k, long j) {
        auto const a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(k), d = static_cast<std::size_t>(j);
        y[d] += x[a] * w[b], x_bar[a] += y_bar[d] * w[b], w_bar[b] += x[a] * y_bar[d];
      });
      auto const y_view = this->array(start_of(y.size())), x_bar_view = this->array(start_of(x.size()));
      auto const w_bar_view = this->array(std::vector<double>(w.size(), 1));
      auto const matrix = [&](auto const& values) { return this->by_sample(values, c.samples); };
      convolution.forward(Space(), matrix(x_view), w_view, adds, matrix(y_view), work);
      convolution.backward_data(Space(), matrix(y_bar_view), w_view, adds, matrix(x_bar_view), work);
      convolution.backward_weights(Space(), matrix(x_view), matrix(y_bar_view), w_bar_view, work);
      this->expect_near(y_view, y, "forward");
      this->expect_near(x_bar_view, x_bar, "backward_data");
      this->expect_near(w_bar_view, w_bar, "backward_weights");
    }
  }
}

TYPED_TEST(ConvolutionTest, WorkIsBounded) {
  SlidingWindow const window{{224, 224}, {3, 3}, {1, 1}, {1, 1}};
  Convolution<TypeParam, HostSpace> const convolution(window, 64, 64);
  EXPECT_EQ(convolution.work(1), 224u * 224 * 9 * 64);
  EXPECT_EQ(convolution.work(1000), convolution.work(1));
}

}  // namespace
}  // namespace onedge::linalg
