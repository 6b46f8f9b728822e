// Kernels on flat vectors against plain loops, and inner products whose bits do not depend on how a vector is sliced.
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/vector.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace onedge::linalg {
namespace {

using Space = DefaultSpace;

template <class Real>
Vector<Real, Space> random_vector(char const* name, std::size_t count) {
  RandomStream const random(2, name);
  Vector<Real, Space> result("onedge::test::vector", count);
  auto const result_host = Kokkos::create_mirror_view(result);
  for (std::size_t i = 0; i < count; ++i) result_host(i) = static_cast<Real>(random.normal(i));
  Kokkos::deep_copy(result, result_host);
  return result;
}

template <class Real>
std::vector<Real> to_host(Vector<Real, Space> const& values) {
  std::vector<Real> result(values.extent(0));
  Kokkos::deep_copy(VectorWindow<Real, HostSpace>(result.data(), result.size()), values);
  return result;
}

template <class Real>
class FlatVector : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(FlatVector, Precisions);

TYPED_TEST(FlatVector, InnerProductsAreThePlainSum) {
  InnerProducts<TypeParam, Space> products{Space()};
  for (std::size_t const count :
       {std::size_t{1}, std::size_t{17}, chunk - 1, chunk, chunk + 1, 3 * chunk + 5, 7 * chunk}) {
    auto const a = random_vector<TypeParam>("a", count), b = random_vector<TypeParam>("b", count);
    auto const result = products({{a, b}, {a, a}});
    ASSERT_EQ(result.size(), 2u);
    auto const a_host = to_host(a), b_host = to_host(b);
    long double ab = 0, aa = 0;
    for (std::size_t i = 0; i < count; ++i) {
      ab += static_cast<long double>(a_host[i]) * b_host[i];
      aa += static_cast<long double>(a_host[i]) * a_host[i];
    }
    // Products of floats are exact in double; both sums are good to rounding of double.
    EXPECT_NEAR(result[0], static_cast<double>(ab), 1e-13 * static_cast<double>(aa)) << count;
    EXPECT_NEAR(result[1], static_cast<double>(aa), 1e-13 * static_cast<double>(aa)) << count;
  }
}

TYPED_TEST(FlatVector, InnerProductsOfSlicesAtChunkBordersMakeTheSameBits) {
  constexpr std::size_t chunks = 8;
  std::size_t const count = chunks * chunk - 100;  // the last chunk is short
  auto const a = random_vector<TypeParam>("a", count), b = random_vector<TypeParam>("b", count);
  InnerProducts<TypeParam, Space> products{Space()};
  using Window = VectorWindow<TypeParam const, Space>;
  double const whole = products({{a, b}}).at(0);
  EXPECT_EQ(whole, products({{b, a}}).at(0));
  // Each chunk alone, then any halves and quarters: the tree of the parts is the tree of the whole.
  for (std::size_t const parts : {std::size_t{2}, std::size_t{4}, chunks}) {
    std::vector<double> sums;
    std::size_t const length = chunks / parts * chunk;
    for (std::size_t first = 0; first < count; first += length) {
      std::size_t const size = std::min(length, count - first);
      sums.push_back(products({{Window(a.data() + first, size), Window(b.data() + first, size)}}).at(0));
    }
    ASSERT_EQ(sums.size(), parts);
    EXPECT_EQ(tree_sum(sums), whole) << parts;
  }
  // More pairs in the same sweep, and a longer vector before, change nothing.
  auto const several = products({{a, a}, {a, b}, {b, b}});
  EXPECT_EQ(several.at(1), whole);
}

TYPED_TEST(FlatVector, InnerProductsOfNothingAreZeroAndNaNIsKept) {
  InnerProducts<TypeParam, Space> products{Space()};
  Vector<TypeParam, Space> const empty("onedge::test::empty", 0);
  EXPECT_EQ(products({{empty, empty}}).at(0), 0.0);
  auto const a = random_vector<TypeParam>("a", 5000);
  auto const element = Kokkos::subview(a, 4500);
  Kokkos::deep_copy(element, std::numeric_limits<TypeParam>::quiet_NaN());
  EXPECT_TRUE(std::isnan(products({{a, a}}).at(0)));
}

TEST(TreeSum, IsTheBalancedTreeOverTheIndex) {
  EXPECT_EQ(tree_sum({}), 0.0);
  EXPECT_EQ(tree_sum({3.0}), 3.0);
  std::vector<double> const v = {1e16, 1.0, -1e16, 1.0, 5.0};
  EXPECT_EQ(tree_sum(v), ((v[0] + v[1]) + (v[2] + v[3])) + v[4]);
}

TYPED_TEST(FlatVector, AddScaledMayOverwriteItsOperands) {
  std::size_t const count = 1001;
  auto const scale = static_cast<TypeParam>(-0.375);
  for (int target = 0; target < 3; ++target) {
    auto const a = random_vector<TypeParam>("a", count), b = random_vector<TypeParam>("b", count);
    auto const a_host = to_host(a), b_host = to_host(b);
    Vector<TypeParam, Space> const c("onedge::test::c", count);
    auto const& result = target == 0 ? c : target == 1 ? a : b;
    add_scaled<TypeParam, Space>(Space(), a, scale, b, result);
    auto const result_host = to_host(result);
    for (std::size_t i = 0; i < count; ++i) {
      TypeParam const expected = a_host[i] + scale * b_host[i];
      ASSERT_NEAR(result_host[i], expected, std::numeric_limits<TypeParam>::epsilon() * 4) << target << " " << i;
    }
  }
}

TYPED_TEST(FlatVector, ColumnSumsAndContractionsArePlainLoops) {
  for (auto const& [rows, columns] : {std::pair<std::size_t, std::size_t>{1, 1}, {64, 10}, {37, 131}}) {
    auto const a = random_vector<TypeParam>("a", rows * columns), b = random_vector<TypeParam>("b", rows * columns);
    auto const sums = random_vector<TypeParam>("s", columns), products = random_vector<TypeParam>("p", columns);
    auto const a_host = to_host(a), b_host = to_host(b), sums_before = to_host(sums),
               products_before = to_host(products);
    MatrixWindow<TypeParam const, Space> const a_rows(a.data(), rows, columns), b_rows(b.data(), rows, columns);
    Vector<TypeParam, Space> const work("onedge::test::work", column_sum_work<Space>(rows, columns));
    add_column_sums<TypeParam, Space>(Space(), a_rows, sums, work);
    add_column_products<TypeParam, Space>(Space(), a_rows, b_rows, products, work);
    Kokkos::View<double, Space::memory_space> const total("onedge::test::total");
    contract_into<TypeParam, Space>(Space(), a_rows, b_rows, total);
    double expected_total = 0;
    double const tolerance = 20 * std::numeric_limits<TypeParam>::epsilon() * static_cast<double>(rows);
    auto const sums_host = to_host(sums), products_host = to_host(products);
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = sums_before[j], product = products_before[j];
      for (std::size_t i = 0; i < rows; ++i) {
        sum += a_host[i * columns + j];
        product += static_cast<double>(a_host[i * columns + j]) * b_host[i * columns + j];
        expected_total += static_cast<double>(a_host[i * columns + j]) * b_host[i * columns + j];
      }
      EXPECT_NEAR(sums_host[j], sum, tolerance);
      EXPECT_NEAR(products_host[j], product, tolerance);
    }
    double actual = 0;
    Kokkos::deep_copy(actual, total);
    EXPECT_NEAR(actual, expected_total, tolerance * static_cast<double>(columns));
  }
}

}  // namespace
}  // namespace onedge::linalg
