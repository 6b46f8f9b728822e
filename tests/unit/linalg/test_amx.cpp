// Products on the matrix unit: errors beside those of oneDNN's single precision, all transposes, odd sizes, matrices
// inside larger ones, and what is not finite. Skipped by name where the processor has no such unit.
#include <onedge/core/random.hpp>

#include <dnnl.h>
#include <gtest/gtest.h>
#include <linalg/amx.hpp>

#include <cmath>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace onedge::linalg {
namespace {

class Amx : public testing::Test {
 public:
  void SetUp() override {
    if (!amx_available()) GTEST_SKIP() << "this processor has no AMX, or ONEDNN_MAX_CPU_ISA forbids it";
  }
};

constexpr float outside = std::numeric_limits<float>::quiet_NaN();

/// rows × columns numbers of very different sizes, each row followed by three that must be neither read nor changed.
struct Numbers {
  Numbers(char const* name, std::size_t rows, std::size_t columns) : stride(columns + 3), data(rows * stride, outside) {
    RandomStream const random(1, name);
    for (std::size_t i = 0; i < rows * columns; ++i) {
      (*this)(i / columns, i % columns) = static_cast<float>(random.normal(2 * i) * std::exp(random.normal(2 * i + 1)));
    }
  }
  float& operator()(std::size_t row, std::size_t column) { return data[row * stride + column]; }
  double operator()(std::size_t row, std::size_t column) const { return data[row * stride + column]; }

  std::size_t stride;
  std::vector<float> data;
};

struct Case {
  Case(std::size_t m_, std::size_t n_, std::size_t k_, bool ta_, bool tb_)
      : m(m_), n(n_), k(k_), ta(ta_), tb(tb_), a("a", ta ? k : m, ta ? m : k), b("b", tb ? n : k, tb ? k : n) {}

  double left(std::size_t i, std::size_t l) const { return ta ? std::as_const(a)(l, i) : std::as_const(a)(i, l); }
  double right(std::size_t l, std::size_t j) const { return tb ? std::as_const(b)(j, l) : std::as_const(b)(l, j); }
  void on_unit(float alpha, float beta, Numbers& c) const {
    amx_product(ta, tb, m, n, k, alpha, a.data.data(), a.stride, b.data.data(), b.stride, beta, c.data.data(),
                c.stride);
  }
  void in_single(float alpha, float beta, Numbers& c) const {
    ASSERT_EQ(dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a.data.data(), a.stride, b.data.data(),
                         b.stride, beta, c.data.data(), c.stride),
              dnnl_success);
  }

  std::size_t m, n, k;
  bool ta, tb;
  Numbers a, b;
};

/// Root mean square, over the entries, of the error relative to the norm of an entry's terms.
double error(Case const& x, float alpha, float beta, Numbers const& before, Numbers const& after) {
  double sum = 0;
  for (std::size_t i = 0; i < x.m; ++i) {
    for (std::size_t j = 0; j < x.n; ++j) {
      double value = beta == 0 ? 0 : beta * before(i, j), size = value * value + 1e-30;
      for (std::size_t l = 0; l < x.k; ++l) {
        double const term = alpha * x.left(i, l) * x.right(l, j);
        value += term, size += term * term;
      }
      sum += (after(i, j) - value) * (after(i, j) - value) / size;
    }
  }
  return std::sqrt(sum / static_cast<double>(x.m * x.n));
}

TEST_F(Amx, ErrsNoMoreThanSinglePrecision) {
  using Sizes = std::tuple<std::size_t, std::size_t, std::size_t>;
  for (auto const& [m, n, k] : {Sizes{1, 1, 1},
                                {5, 3, 7},
                                {33, 17, 40},
                                {64, 64, 64},
                                {67, 131, 300},
                                {130, 300, 77},
                                {70, 33, 1100},
                                {257, 65, 256}}) {
    for (int transposes = 0; transposes < 4; ++transposes) {
      Case const x(m, n, k, transposes % 2 == 1, transposes / 2 == 1);
      for (auto const& [alpha, beta] : {std::pair{1.0F, 0.0F}, {1.0F, 1.0F}, {-0.5F, 0.25F}}) {
        SCOPED_TRACE(testing::Message() << m << " " << n << " " << k << ", transposes " << transposes << ", alpha "
                                        << alpha << ", beta " << beta);
        Numbers const before("c", m, n);
        Numbers on_unit = before, in_single = before;
        if (beta == 0) on_unit(m / 2, n / 2) = outside;
        x.on_unit(alpha, beta, on_unit);
        x.in_single(alpha, beta, in_single);
        // One rounding of few terms more or less is luck.
        double const rounding = std::numeric_limits<float>::epsilon();
        EXPECT_LT(error(x, alpha, beta, before, on_unit),
                  error(x, alpha, beta, before, in_single) + (k < 64 ? rounding / 2 : 0));
        for (std::size_t i = 0; i < m * on_unit.stride; ++i) {
          ASSERT_EQ(std::isnan(on_unit.data[i]), i % on_unit.stride >= n) << i;
        }
      }
    }
  }
}

TEST_F(Amx, KeepsTheDigitsOfSmallAndLargeNumbers) {
  for (double const scale : {1e-30, 1e-18, 1e18, 1e30}) {
    Case scaled(64, 64, 64, false, false);
    for (float& value : scaled.a.data) value = static_cast<float>(value * scale);
    Numbers const before("c", 64, 64);
    Numbers after = before;
    scaled.on_unit(1, 0, after);
    EXPECT_LT(error(scaled, 1, 0, before, after), 2 * std::numeric_limits<float>::epsilon()) << scale;
  }
}

/// The bits of a row are the same in a product of any number of rows.
TEST_F(Amx, RowsDoNotDependOnOneAnother) {
  Case const whole(200, 70, 300, false, false);
  Case part = whole;
  part.m = 37;
  Numbers all("c", 200, 70), some = all;
  whole.on_unit(1, 1, all);
  part.on_unit(1, 1, some);
  for (std::size_t i = 0; i < part.m; ++i) {
    for (std::size_t j = 0; j < 70; ++j) ASSERT_EQ(all(i, j), some(i, j)) << i << " " << j;
  }
}

TEST_F(Amx, WhatIsNotFiniteStaysSo) {
  for (float const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), std::nanf("0x3fffff")}) {
    for (bool const in_a : {true, false}) {
      Case x(64, 64, 64, false, false);
      (in_a ? x.a : x.b)(5, 7) = bad;
      Numbers c("c", 64, 64);
      x.on_unit(1, 0, c);
      for (std::size_t i = 0; i < 64; ++i) {
        for (std::size_t j = 0; j < 64; ++j) ASSERT_EQ(std::isfinite(c(i, j)), in_a ? i != 5 : j != 7) << i << " " << j;
      }
    }
  }
}

}  // namespace
}  // namespace onedge::linalg
