// Every solver on operators of any rank, multiplicity, sign, scale and size: right to the tolerance or not converged,
// with residuals that are true, within its products, and without an exception.
#include <onedge/core/error.hpp>
#include <onedge/spectrum/eigen_solver.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "rotated.hpp"

namespace {

using namespace onedge;
using test::Rotated;
using test::Space;

template <class Real>
using Pool = std::shared_ptr<spectrum::VectorPool<Real, Space>>;

template <class Real>
Pool<Real> make_pool(comm::Communicator const& communicator, std::size_t length) {
  return std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, length);
}

template <class Real>
spectrum::ShardedVectors<Real, Space> random_vectors(Pool<Real> const& pool, int columns) {
  spectrum::ShardedVectors<Real, Space> result(pool, columns);
  result.randomise(3, 0);
  return result;
}

/// What rounding may make of an exact eigenvector of an operator of norm 1.
template <class Real>
constexpr double limit = (sizeof(Real) == 4 ? 10 : 100) * std::numeric_limits<Real>::epsilon();

/// Eigenvalues below this part of the norm need not be right relatively.
template <class Real>
double const zero = std::sqrt(std::numeric_limits<Real>::epsilon());

/// An operator and what is asked of it; a function of its number.
struct Case {
  std::vector<double> values;
  int count = 1;
  spectrum::SolverOptions options;
};

Case make_case(std::uint64_t number) {
  RandomStream const random(number, "case"), entries(number, "values");
  std::uint64_t draw = 0;
  auto const pick = [&](std::uint64_t below) { return random.integer(draw++, below); };
  auto const n = static_cast<std::size_t>(1 + (pick(3) == 0 ? pick(20) : pick(300)));
  auto const spectrum = pick(5);
  auto const rank = 1 + pick(n), kinds = 1 + pick(4);
  double const scale = std::pow(10.0, static_cast<double>(pick(25)) - 12);
  Case result;
  for (std::size_t i = 0; i < n; ++i) {
    double const normal = entries.normal(i);
    double const value = spectrum == 0   ? normal                                                    // of both signs
                         : spectrum == 1 ? std::abs(normal)                                          // positive
                         : spectrum == 2 ? (i < rank ? normal : 0)                                   // of low rank
                         : spectrum == 3 ? static_cast<double>(i % kinds) - 2                        // multiple
                                         : -std::exp(-static_cast<double>(i)) * (i < rank ? 1 : 0);  // negative
    result.values.push_back(scale * value);
  }
  std::sort(result.values.begin(), result.values.end(), std::greater<>());
  result.count = static_cast<int>(1 + (pick(2) == 0 ? pick(std::min<std::size_t>(n, 6)) : pick(n)));
  result.options.tolerance = pick(2) == 0 ? 2e-3 : 1e-5;
  result.options.maximum_products = pick(4) == 0 ? static_cast<std::int64_t>(1 + pick(60)) : 4000;
  return result;
}

template <class Real>
std::vector<double> true_residuals(spectrum::Operator<Real, Space> const& a,
                                   spectrum::EigenPairs<Real, Space> const& found) {
  int const columns = found.vectors.columns();
  auto const& pool = found.vectors.pool();
  spectrum::ShardedVectors<Real, Space> applied(pool, columns), scaled(pool, columns);
  a.apply(found.vectors, applied);
  scaled.copy(found.vectors);
  scaled.scale({found.values.begin(), found.values.begin() + columns});
  applied.combine(1, applied, -1, scaled);
  return applied.norms();
}

template <class Real>
void check(std::uint64_t number, std::string const& kind) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  auto [values, count, options] = make_case(number);
  options.kind = kind;
  if (kind == "power") count = 1;
  auto const pool = make_pool<Real>(world, values.size());
  Rotated<Real> const a(values, 3, pool->layout());
  SCOPED_TRACE(concat(kind, " ", number, ": ", count, " of ", values.size(), ", ", sizeof(Real), " bytes, products ",
                      options.maximum_products));
  auto const found = spectrum::solve(a, random_vectors(pool, options.width(count)), count, options);
  EXPECT_LE(found.products, options.maximum_products);
  EXPECT_EQ(found.products, a.applied());
  ASSERT_EQ(found.values.size(), static_cast<std::size_t>(count));
  double const norm = std::max(std::abs(values.front()), std::abs(values.back()));
  double const rounding = 3 * limit<Real> * norm;
  auto const residuals = true_residuals<Real>(a, found);
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    double const value = std::abs(found.values[i]);
    if (found.converged[i]) {
      double const allowed = std::max(options.tolerance * std::max(value, zero<Real> * norm), rounding);
      double exact = values[i];
      if (kind == "power") {  // any eigenvalue: two of nearly the same magnitude take it for ever
        exact = *std::min_element(values.begin(), values.end(), [&](double one, double other) {
          return std::abs(one - found.values[i]) < std::abs(other - found.values[i]);
        });
      }
      EXPECT_NEAR(found.values[i], exact, allowed) << i;
      ASSERT_LT(i, residuals.size());
      EXPECT_LE(residuals[i], allowed) << i;
    }
    if (i >= residuals.size() || !std::isfinite(found.residuals[i])) {
      EXPECT_FALSE(found.converged[i]);
      continue;
    }
    if (value < rounding) continue;  // what a relative residual says is little
    EXPECT_NEAR(found.residuals[i] * value, residuals[i], 0.05 * residuals[i] + rounding) << i;
  }
  // With products to spare, every solver finds what is not one of many values close to zero.
  if (kind != "power" && options.maximum_products == 4000 && std::abs(values[found.values.size() - 1]) > 1e-3 * norm) {
    EXPECT_EQ(std::count(found.converged.begin(), found.converged.end(), true), count);
  }
}

// Several ranks do what one does, and a build with sanitizers is slow: some of them suffice there.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_slow = true;
#else
constexpr bool is_slow = false;
#endif

class AnyOperator : public testing::TestWithParam<std::string> {
 protected:
  AnyOperator() {
    int ranks = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    m_cases = ranks > 1 || is_slow ? 30 : 200;
  }
  std::uint64_t m_cases;
};

TEST_P(AnyOperator, IsSolvedInDouble) {
  for (std::uint64_t number = 0; number < m_cases; ++number) check<double>(number, GetParam());
}
TEST_P(AnyOperator, IsSolvedInFloat) {
  for (std::uint64_t number = 0; number < m_cases; ++number) check<float>(number, GetParam());
}

INSTANTIATE_TEST_SUITE_P(EigenSolver, AnyOperator, testing::ValuesIn(spectrum::solver_names()),
                         [](auto const& solver) { return solver.param; });

template <class Real>
void expect_top(std::vector<double> values, int count, std::string const& kind) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  auto const pool = make_pool<Real>(world, values.size());
  Rotated<Real> const a(values, 0, pool->layout());
  std::sort(values.begin(), values.end(), std::greater<>());
  spectrum::SolverOptions options{kind};
  auto const found = spectrum::solve(a, random_vectors(pool, options.width(count)), count, options);
  double const norm = std::max(std::abs(values.front()), std::abs(values.back()));
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_TRUE(found.converged[i]) << kind << " " << i;
    double const allowed = std::max(options.tolerance * std::abs(values[i]), 3 * limit<Real> * norm);
    EXPECT_NEAR(found.values[i], values[i], allowed) << kind << " " << i;
  }
  EXPECT_LT(found.products, 200) << kind;
}

// Two or three different eigenvalues exhaust every Krylov space.
TEST(EigenSolver, SpacesThatAreExhaustedAreAnswered) {
  std::vector<double> negative(5000, 0.0), positive(5000, 0.0);
  for (std::size_t i = 0; i < 5; ++i)
    negative[i] = static_cast<double>(i) - 5, positive[i] = static_cast<double>(i + 1);
  for (auto const& kind : {"krylov_schur", "lobpcg", "davidson", "rayleigh_ritz"}) {
    for (int const count : {1, 4, 6}) {
      for (auto const& values : {negative, positive}) {
        expect_top<float>(values, count, kind);
        expect_top<double>(values, count, kind);
      }
    }
  }
}

TEST(EigenSolver, AnswersAnyCountUpToTheDimension) {
  for (std::size_t n = 1; n <= 24; n += n < 8 ? 1 : 4) {
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(5 - static_cast<double>(i));
    for (int count = 1; count <= static_cast<int>(n); ++count) {
      for (auto const& kind : {"krylov_schur", "lobpcg", "davidson"}) expect_top<double>(values, count, kind);
      expect_top<float>(values, count, "krylov_schur");
    }
  }
}

TEST(EigenSolver, NarrowBlocksMissNoCopiesInSmallSpaces) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  std::vector<double> const values{3, 3, 3, 2, 2, 1, 0, 0, 0, 0, -1, -1, -1, -1, -4};
  auto const pool = make_pool<double>(world, values.size());
  Rotated<double> const a(values, 3, pool->layout());
  for (int const block : {1, 2}) {
    auto const found = spectrum::solve(a, random_vectors(pool, block), 7, {"krylov_schur", 1e-6, 1000, block});
    for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(found.values[i], values[i], 1e-10) << block << " " << i;
  }
}

TEST(EigenSolver, EndsWhenItIsToStop) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) values.push_back(1 + 1e-4 * i);
  auto const pool = make_pool<double>(world, values.size());
  Rotated<double> const a(values, 0, pool->layout());
  for (auto const& kind : spectrum::solver_names()) {
    int asked = 0;
    spectrum::SolverOptions options{kind, 1e-14, 1000000};
    options.stop = [&] { return ++asked > 20; };
    auto const found = spectrum::solve(a, random_vectors(pool, 1), 1, options);
    EXPECT_TRUE(found.stopped) << kind;
    EXPECT_FALSE(found.converged[0]) << kind;
    EXPECT_LE(found.products, 20) << kind;
    EXPECT_NEAR(found.values[0], values.back(), 0.3) << kind;  // as far as it had come
  }
}

// A solve keeps what SolverOptions::vectors() says, however long it takes, and a later one nothing more.
TEST(EigenSolver, KeepsAsManyVectorsAsPlanned) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  std::vector<double> values;
  for (int i = 0; i < 1500; ++i) values.push_back(1 + 1e-4 * i);
  auto const check_plan = [&](int count, spectrum::SolverOptions const& options) {
    auto const pool = make_pool<float>(world, values.size());
    Rotated<float> const a(values, 0, pool->layout());
    auto const initial = random_vectors(pool, options.width(count));
    spectrum::solve(a, initial, count, options);
    auto const resident = static_cast<int>(pool->resident()) - initial.columns();
    EXPECT_LE(resident, options.vectors(count)) << options.kind << " " << count << " " << options.maximum_products;
    spectrum::solve(a, initial, count, options);
    EXPECT_EQ(static_cast<int>(pool->resident()) - initial.columns(), resident) << options.kind;
  };
  for (auto const& kind : spectrum::solver_names()) {
    for (std::int64_t const products : {5, 20, 100}) {
      check_plan(1, {kind, 1e-14, products});
      if (kind == "power") continue;
      check_plan(4, {kind, 1e-14, products});
      check_plan(4, {kind, 1e-14, products, 1});
      check_plan(6, {kind, 1e-14, products, 2});
    }
  }
  spectrum::SolverOptions const usual;
  EXPECT_LE(usual.vectors(1), 30);
  EXPECT_LE(usual.vectors(4), 120);
}

}  // namespace
