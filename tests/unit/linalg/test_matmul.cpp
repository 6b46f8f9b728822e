// Matrix products against a plain loop: both precisions, all transposes, odd sizes, β = 0 over NaN.
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/matmul.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

namespace onedge::linalg {
namespace {

using Space = DefaultSpace;

template <class Real>
class Matmul : public testing::Test {
 public:
  using View = Matrix<Real, Space>;

  static std::vector<double> numbers(char const* name, std::size_t count) {
    RandomStream const random(1, name);
    std::vector<double> result(count);
    for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<double>(static_cast<Real>(random.normal(i)));
    return result;
  }
  static View matrix(std::vector<double> const& values, std::size_t rows, std::size_t columns) {
    View result("onedge::test::matrix", rows, columns);
    auto const result_host = Kokkos::create_mirror_view(result);
    for (std::size_t i = 0; i < rows * columns; ++i)
      result_host(i / columns, i % columns) = static_cast<Real>(values[i]);
    Kokkos::deep_copy(result, result_host);
    return result;
  }
  static double tolerance(std::size_t inner) {
    return 4 * std::numeric_limits<Real>::epsilon() * std::sqrt(static_cast<double>(inner)) + 1e-300;
  }
};

using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Matmul, Precisions);

template <class Real>
void check(std::size_t m, std::size_t n, std::size_t k, Transpose ta, Transpose tb, Real alpha, Real beta,
           double initial) {
  SCOPED_TRACE(testing::Message() << m << " " << n << " " << k << " transposed " << (ta == Transpose::yes) << " "
                                  << (tb == Transpose::yes) << " alpha " << alpha << " beta " << beta);
  using Fixture = Matmul<Real>;
  bool const at = ta == Transpose::yes, bt = tb == Transpose::yes;
  auto const a = Fixture::numbers("a", m * k), b = Fixture::numbers("b", k * n);
  auto c = Fixture::numbers("c", m * n);
  if (std::isnan(initial)) c.assign(c.size(), initial);
  auto const a_view = Fixture::matrix(a, at ? k : m, at ? m : k), b_view = Fixture::matrix(b, bt ? n : k, bt ? k : n);
  auto const c_view = Fixture::matrix(c, m, n);
  matmul<Real, Space>(Space(), ta, tb, alpha, a_view, b_view, beta, c_view);
  auto const result = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), c_view);
  double largest = 0;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0, size = 1;
      for (std::size_t l = 0; l < k; ++l) {
        double const term = (at ? a[l * m + i] : a[i * k + l]) * (bt ? b[j * k + l] : b[l * n + j]);
        sum += term, size += std::abs(term);
      }
      double const expected = alpha * sum + (beta == Real(0) ? 0.0 : beta * c[i * n + j]);
      double const error = std::abs(static_cast<double>(result(i, j)) - expected) / size;
      largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(largest, error);
    }
  }
  EXPECT_LT(largest, Fixture::tolerance(k));
}

TYPED_TEST(Matmul, IsAPlainLoopForAllTransposesAndOddSizes) {
  using Sizes = std::tuple<std::size_t, std::size_t, std::size_t>;
  for (auto const ta : {Transpose::no, Transpose::yes}) {
    for (auto const tb : {Transpose::no, Transpose::yes}) {
      for (auto const& [m, n, k] : {Sizes{1, 1, 1},
                                    {3, 5, 7},
                                    {1, 17, 4},
                                    {19, 1, 6},
                                    {64, 10, 33},
                                    {67, 31, 129},
                                    {1024, 6, 259},
                                    {128, 127, 65}}) {
        check<TypeParam>(m, n, k, ta, tb, TypeParam(1), TypeParam(0), 0);
        check<TypeParam>(m, n, k, ta, tb, TypeParam(-0.5), TypeParam(1), 0);
        check<TypeParam>(m, n, k, ta, tb, TypeParam(2), TypeParam(0.25), 0);
      }
    }
  }
}

TYPED_TEST(Matmul, BetaZeroOverwritesNaN) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (auto const ta : {Transpose::no, Transpose::yes}) {
    for (auto const tb : {Transpose::no, Transpose::yes}) {
      check<TypeParam>(5, 9, 13, ta, tb, TypeParam(1), TypeParam(0), nan);
    }
  }
}

TYPED_TEST(Matmul, KeepsNaNOfItsFactors) {
  // A diverged run must be noticed.
  using Fixture = Matmul<TypeParam>;
  auto values = Fixture::numbers("a", 12);
  values[5] = std::numeric_limits<double>::quiet_NaN();
  auto const a = Fixture::matrix(values, 3, 4), b = Fixture::matrix(Fixture::numbers("b", 8), 4, 2);
  auto const c = Fixture::matrix(Fixture::numbers("c", 6), 3, 2);
  matmul<TypeParam, Space>(Space(), Transpose::no, Transpose::no, TypeParam(1), a, b, TypeParam(0), c);
  auto const result = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), c);
  EXPECT_TRUE(std::isnan(result(1, 0)));
  EXPECT_FALSE(std::isnan(result(0, 0)));
}

/// Two samples of three heads: a side by side in wide rows, b one after another, c with gaps that must stay as they
/// are.
TYPED_TEST(Matmul, BatchesAreManyProducts) {
  using Fixture = Matmul<TypeParam>;
  std::size_t const outer = 2, inner = 3, m = 5, n = 4, k = 6;
  for (auto const ta : {Transpose::no, Transpose::yes}) {
    for (auto const tb : {Transpose::no, Transpose::yes}) {
      bool const at = ta == Transpose::yes, bt = tb == Transpose::yes;
      std::size_t const a_rows = at ? k : m, a_columns = at ? m : k, b_rows = bt ? n : k, b_columns = bt ? k : n;
      auto const a = Fixture::numbers("a", outer * m * k * inner), b = Fixture::numbers("b", outer * inner * k * n);
      std::size_t const width = inner * n + 1;
      auto const c = Fixture::numbers("c", outer * m * width);
      auto const a_view = Fixture::matrix(a, 1, a.size()), b_view = Fixture::matrix(b, 1, b.size());
      auto const c_view = Fixture::matrix(c, 1, c.size());
      matmul_batch<TypeParam, Space>(Space(), outer, inner, ta, tb, TypeParam(2),
                                     {a_view.data(), a_rows, a_columns, inner * a_columns, a_columns, inner * m * k},
                                     {b_view.data(), b_rows, b_columns, b_columns, k * n, inner * k * n}, TypeParam(1),
                                     {c_view.data(), m, n, width, n, m * width});
      auto const result = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), c_view);
      auto expected = c;
      for (std::size_t index = 0; index < outer * inner * m * n; ++index) {
        std::size_t const j = index % n, i = index / n % m, head = index / (m * n) % inner,
                          sample = index / (inner * m * n);
        double sum = 0;
        for (std::size_t l = 0; l < k; ++l) {
          double const left =
              a[sample * inner * m * k + (at ? l : i) * inner * a_columns + head * a_columns + (at ? i : l)];
          sum += left * b[(sample * inner + head) * k * n + (bt ? j * k + l : l * n + j)];
        }
        expected[(sample * m + i) * width + head * n + j] += 2 * sum;
      }
      for (std::size_t i = 0; i < c.size(); ++i) {
        EXPECT_NEAR(static_cast<double>(result(0, i)), expected[i], 20 * Fixture::tolerance(k)) << i;
      }
    }
  }
}

TYPED_TEST(Matmul, RefusesShapesThatDoNotFit) {
  using Fixture = Matmul<TypeParam>;
  auto const a = Fixture::matrix(Fixture::numbers("a", 12), 3, 4), b = Fixture::matrix(Fixture::numbers("b", 8), 4, 2);
  auto const right = Fixture::matrix(Fixture::numbers("c", 6), 3, 2),
             wrong = Fixture::matrix(Fixture::numbers("c", 6), 2, 3);
  auto const product = [&](Transpose ta, auto const& c) {
    matmul<TypeParam, Space>(Space(), ta, Transpose::no, TypeParam(1), a, b, TypeParam(0), c);
  };
  EXPECT_NO_THROW(product(Transpose::no, right));
  EXPECT_THROW(product(Transpose::no, wrong), Error);
  EXPECT_THROW(product(Transpose::yes, right), Error);
}

}  // namespace
}  // namespace onedge::linalg
