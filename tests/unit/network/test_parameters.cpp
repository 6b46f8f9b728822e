// Where parameters lie and how they start: the layout of the flat vector, the statistics of every initializer.
#include <onedge/core/error.hpp>
#include <onedge/network/value.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace onedge::network {
namespace {

constexpr std::size_t count = 200000;

struct Statistics {
  double mean = 0, deviation = 0, smallest = 0, largest = 0;
};

Statistics statistics(Initializer const& initializer) {
  ParameterLayout layout;
  layout.add("tensor", {count}, initializer);
  auto const values = layout.initial_values(1);
  Statistics result;
  for (double const value : values) result.mean += value / count;
  for (double const value : values) result.deviation += (value - result.mean) * (value - result.mean) / count;
  result.deviation = std::sqrt(result.deviation);
  auto const [smallest, largest] = std::minmax_element(values.begin(), values.end());
  result.smallest = *smallest, result.largest = *largest;
  return result;
}

constexpr double error_of_mean = 5 / 447.0;  // five standard errors, in deviations

TEST(Initializer, LecunNormalHasItsDeviationAfterTruncation) {
  double const deviation = 1 / std::sqrt(48.0);
  auto const s = statistics(Initializer::lecun_normal(48));
  EXPECT_NEAR(s.mean, 0, error_of_mean * deviation);
  EXPECT_NEAR(s.deviation, deviation, 0.007 * deviation);
  double const bound = 2 * deviation / 0.87962566103423978;
  EXPECT_LE(s.largest, bound);
  EXPECT_GE(s.smallest, -bound);
  EXPECT_GT(s.largest, 0.99 * bound);
}

TEST(Initializer, XavierUniformFillsItsInterval) {
  double const bound = std::sqrt(6.0 / (30 + 20));
  auto const s = statistics(Initializer::xavier_uniform(30, 20));
  EXPECT_NEAR(s.mean, 0, error_of_mean * bound);
  EXPECT_NEAR(s.deviation, bound / std::sqrt(3.0), 0.007 * bound);
  EXPECT_LT(s.largest, bound);
  EXPECT_GT(s.smallest, -bound);
  EXPECT_GT(s.largest, 0.999 * bound);
  EXPECT_LT(s.smallest, -0.999 * bound);
}

TEST(Initializer, UniformIsThatOfTorchLinear) {
  double const bound = 1 / std::sqrt(48.0);
  auto const s = statistics(Initializer::uniform(48));
  EXPECT_NEAR(s.mean, 0, error_of_mean * bound);
  EXPECT_NEAR(s.deviation, bound / std::sqrt(3.0), 0.007 * bound);
  EXPECT_LT(s.largest, bound);
  EXPECT_GT(s.smallest, -bound);
  EXPECT_GT(s.largest, 0.999 * bound);
  EXPECT_LT(s.smallest, -0.999 * bound);
}

TEST(Initializer, NormalIsNotTruncated) {
  auto const s = statistics(Initializer::normal(0.02));
  EXPECT_NEAR(s.mean, 0, error_of_mean * 0.02);
  EXPECT_NEAR(s.deviation, 0.02, 0.01 * 0.02);
  EXPECT_GT(s.largest, 3.5 * 0.02);
  EXPECT_LT(s.smallest, -3.5 * 0.02);
}

TEST(Initializer, ZerosAndOnes) {
  auto const zeros = statistics(Initializer::zeros()), ones = statistics(Initializer::ones());
  EXPECT_EQ(zeros.smallest, 0.0);
  EXPECT_EQ(zeros.largest, 0.0);
  EXPECT_EQ(ones.smallest, 1.0);
  EXPECT_EQ(ones.largest, 1.0);
}

TEST(ParameterLayout, LiesWithoutGapsInTheOrderOfAddition) {
  ParameterLayout layout;
  auto const a = layout.add("a/kernel", {3, 4}, Initializer::lecun_normal(3));
  auto const b = layout.add("a/bias", {4}, Initializer::zeros());
  auto const c = layout.add("scalar", {}, Initializer::ones());
  EXPECT_EQ(a.offset, 0u);
  EXPECT_EQ(b.offset, 12u);
  EXPECT_EQ(c.offset, 16u);
  EXPECT_EQ(layout.size(), 17u);
  EXPECT_EQ(layout.tensors().at(1).name, "a/bias");
  EXPECT_EQ(layout.tensors().at(2).parameter.id, 2);
  EXPECT_EQ(layout.initial_values(0).at(16), 1.0);
  EXPECT_THROW(layout.add("a/bias", {1}, Initializer::zeros()), Error);
}

TEST(ParameterLayout, ValuesDependOnSeedAndNameNotOnTheNeighbours) {
  ParameterLayout alone, second;
  alone.add("kernel", {100}, Initializer::lecun_normal(10));
  second.add("other", {37}, Initializer::lecun_normal(10));
  second.add("kernel", {100}, Initializer::lecun_normal(10));
  auto const values = alone.initial_values(5), both = second.initial_values(5);
  EXPECT_TRUE(std::equal(values.begin(), values.end(), both.begin() + 37));
  EXPECT_NE(values[0], both[0]);
  EXPECT_NE(values, alone.initial_values(6));
  EXPECT_EQ(values, alone.initial_values(5));
}

TEST(ParameterLayout, NamesThatWouldShareTheirRandomNumbersAreRefused) {
  ParameterLayout layout;
  layout.add("dense_7344/bias", {2}, Initializer::zeros());
  layout.add("dense_7344/kernel", {2}, Initializer::zeros());
  auto const refusal = [&](std::string const& name) -> std::string {
    try {
      layout.add(name, {2}, Initializer::zeros());
    } catch (Error const& error) {
      return error.what();
    }
    return "";
  };
  auto const other = refusal("dense_64424/kernel");
  EXPECT_NE(other.find("dense_64424/kernel"), std::string::npos);
  EXPECT_NE(other.find("dense_7344/bias"), std::string::npos) << other;
  EXPECT_NE(refusal("mggafvi/kernel").find("batch/order"), std::string::npos);
  EXPECT_NE(refusal("dense_7344/kernel").find("two parameters are named"), std::string::npos);
  EXPECT_EQ(layout.size(), 4u);
}

TEST(ParameterLayout, SizesBeyondAnyMemoryAreRefused) {
  std::size_t const large = std::size_t{1} << 33;
  for (Shape const& shape : {Shape{large, large}, Shape{large, large, large}, Shape{std::size_t{1} << 41}}) {
    ParameterLayout layout;
    EXPECT_THROW(layout.add("w", shape, Initializer::zeros()), InputError);
  }
  ParameterLayout layout;
  for (int i = 0; i < 16; ++i) layout.add(concat("w", i), {std::size_t{1} << 40}, Initializer::zeros());
  EXPECT_THROW(layout.add("w", {1}, Initializer::zeros()), InputError);
}

}  // namespace
}  // namespace onedge::network
