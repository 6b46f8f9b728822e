// Eigenvalues against LAPACK's on matrices that are small enough to form densely.
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/spectrum/eigen_solver.hpp>

#include <Teuchos_LAPACK.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "problem.hpp"

namespace {

using namespace onedge;
using test::Space;
using Vectors = spectrum::ShardedVectors<double, Space>;
using Operator = spectrum::Operator<double, Space>;
using Pool = std::shared_ptr<spectrum::VectorPool<double, Space>>;

/// Symmetric, row-major [n, n], the same on every rank.
struct Dense {
  std::size_t n;
  std::vector<double> entries;
};

class DenseOperator : public Operator {
 public:
  DenseOperator(Dense dense, spectrum::ShardLayout const& layout)
      : m_dense(std::move(dense)), m_slices(Space(), layout.communicator(), layout.counts()) {}
  void apply(Vectors const& x, Vectors& y) const override {
    auto const columns = static_cast<std::size_t>(x.columns());
    Matrix<double, Space> whole("onedge::test::whole", columns, m_dense.n);
    m_slices.all_gather(x.slices(), whole);
    auto const whole_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole);
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<double> product(m_dense.n, 0.0);
      for (std::size_t i = 0; i < m_dense.n; ++i)
        for (std::size_t j = 0; j < m_dense.n; ++j) product[i] += m_dense.entries[i * m_dense.n + j] * whole_host(c, j);
      test::set_column(y, static_cast<int>(c), product);
    }
  }

 private:
  Dense m_dense;
  mutable comm::Slices<double, Space> m_slices;
};

/// All eigenvalues by LAPACK, descending.
std::vector<double> eigenvalues_of(Dense dense) {
  auto const n = static_cast<int>(dense.n);
  std::vector<double> values(dense.n), work(64 * dense.n);
  int info = 0;
  Teuchos::LAPACK<int, double>().SYEV('N', 'U', n, dense.entries.data(), n, values.data(), work.data(),
                                      static_cast<int>(work.size()), &info);
  EXPECT_EQ(info, 0);
  std::reverse(values.begin(), values.end());
  return values;
}

/// The matrix of an operator, column by column.
Dense densely(Operator const& a, Pool const& pool) {
  std::size_t const n = pool->layout().length();
  Dense dense{n, std::vector<double>(n * n)};
  comm::Slices<double, Space> slices(Space(), pool->layout().communicator(), pool->layout().counts());
  Vectors x(pool, 1), y(pool, 1);
  Matrix<double, Space> whole("onedge::test::whole", 1, n);
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<double> unit(n, 0.0);
    unit[j] = 1;
    test::set_column(x, 0, unit);
    a.apply(x, y);
    slices.all_gather(y.slices(), whole);
    auto const whole_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole);
    for (std::size_t i = 0; i < n; ++i) dense.entries[i * n + j] = whole_host(0, i);
  }
  return dense;
}

Vectors random_vectors(Pool const& pool, int columns) {
  Vectors result(pool, columns);
  result.randomise(3, 0);
  return result;
}

void expect_top(Operator const& a, Pool const& pool, std::string const& kind, int count, double tolerance = 1e-8) {
  auto const exact = eigenvalues_of(densely(a, pool));
  auto const found = spectrum::solve(a, random_vectors(pool, count), count, {kind, 1e-7, 100000});
  ASSERT_EQ(found.values.size(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_TRUE(found.converged[i]) << kind << " " << i;
    EXPECT_NEAR(found.values[i], exact[i], tolerance * std::abs(exact[i])) << kind << " " << i;
  }
  EXPECT_GE(found.products, count);
  // The vectors are what the values say, and orthonormal.
  Vectors applied(pool, count);
  a.apply(found.vectors, applied);
  auto const projected = applied.inner_products(found.vectors), overlaps = found.vectors.inner_products(found.vectors);
  auto const squares = applied.dots(applied);
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    auto const at = i * found.values.size() + i;
    EXPECT_NEAR(projected[at], exact[i], 1e-7 * std::abs(exact[i]));
    EXPECT_NEAR(overlaps[at], 1, 1e-10);
    double const residual = std::sqrt(std::max(0.0, squares[i] - projected[at] * projected[at])) / std::abs(exact[i]);
    EXPECT_LT(residual, 2e-7);
  }
}

class HessianOf : public testing::TestWithParam<std::string> {
 protected:
  HessianOf() : m_problem(MPI_COMM_WORLD, {}), m_hessian(m_problem.objective, m_problem.pool->layout(), false) {}
  test::Problem<double> m_problem;
  spectrum::CurvatureOperator<double, Space> m_hessian;
};

TEST_P(HessianOf, ASmallNetworkAgreesWithLapack) { expect_top(m_hessian, m_problem.pool, GetParam(), 5); }

TEST_P(HessianOf, ASmallNetworkHasThisMostNegativeEigenvalue) {
  spectrum::NegatedOperator<double, Space> const negated(m_hessian);
  auto const values = eigenvalues_of(densely(m_hessian, m_problem.pool));
  ASSERT_LT(values.back(), -1e-3);  // or the test would say nothing
  auto const found = spectrum::solve(negated, random_vectors(m_problem.pool, 1), 1, {GetParam(), 1e-7, 100000});
  EXPECT_NEAR(-found.values[0], values.back(), 1e-8 * std::abs(values.back()));
}

TEST_P(HessianOf, ASmallNetworkPreconditionedByAdamAgreesWithLapack) {
  std::size_t const count = m_problem.parameters();
  optimizer::OptimizerConfig config;
  config.kind = "adam";
  config.eps = 1e-4;
  auto const adam = optimizer::make_optimizer<double, Space>(config, count);
  Vector<double, Space> gradient("onedge::test::gradient", count), update("onedge::test::update", count);
  m_problem.objective.gradient(gradient);
  adam->update(Space(), gradient, update);
  adam->preconditioner(Space(), update);
  auto const p = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), update);
  std::vector<double> scale;
  for (std::size_t i = 0; i < count; ++i) scale.push_back(1 / std::sqrt(p(i)));
  Vectors diagonal(m_problem.pool, 1);
  test::set_column(diagonal, 0, scale);
  spectrum::ScaledOperator<double, Space> const preconditioned(m_hessian, diagonal);
  // P^-1/2 H P^-1/2 from its factors, not from the operator.
  auto dense = densely(m_hessian, m_problem.pool);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) dense.entries[i * count + j] /= std::sqrt(p(i) * p(j));
  auto const exact = eigenvalues_of(dense);
  auto const found = spectrum::solve(preconditioned, random_vectors(m_problem.pool, 5), 5, {GetParam(), 1e-7, 100000});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found.values[i], exact[i], 1e-8 * exact[i]);
}

TEST_P(HessianOf, TheGaussNewtonMatrixAgreesWithLapack) {
  spectrum::CurvatureOperator<double, Space> const gauss_newton(m_problem.objective, m_problem.pool->layout(), true);
  expect_top(gauss_newton, m_problem.pool, GetParam(), 5);
}

TEST_P(HessianOf, TheLargestAlgebraicEigenvalueIsFoundBesideALargerNegativeOne) {
  std::size_t const n = 60;
  auto const pool = std::make_shared<spectrum::VectorPool<double, Space>>(m_problem.communicator, n);
  // Q diag(values) Q with a Householder reflection Q; the value of largest magnitude is −50.
  RandomStream const random(2, "q");
  std::vector<double> q(n);
  double norm = 0;
  for (std::size_t i = 0; i < n; ++i) q[i] = random.normal(i), norm += q[i] * q[i];
  Dense dense{n, std::vector<double>(n * n, 0.0)};
  auto const reflected = [&](std::size_t i, std::size_t k) { return (i == k ? 1.0 : 0.0) - 2 * q[i] * q[k] / norm; };
  for (std::size_t k = 0; k < n; ++k) {
    double const value = k == 0 ? -50 : 10 - static_cast<double>(k) / 4;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) dense.entries[i * n + j] += value * reflected(i, k) * reflected(j, k);
  }
  DenseOperator const a(dense, pool->layout());
  auto const found = spectrum::solve(a, random_vectors(pool, 2), 2, {GetParam(), 1e-7, 100000});
  EXPECT_NEAR(found.values[0], 9.75, 1e-8);
  EXPECT_NEAR(found.values[1], 9.5, 1e-8);
  if (GetParam() == "krylov_schur") {
    auto const largest_magnitude = spectrum::solve(a, random_vectors(pool, 1), 1, {"power", 1e-12, 100000});
    EXPECT_NEAR(largest_magnitude.values[0], -50, 1e-8);
  }
}

TEST_P(HessianOf, ASolveThatRunsOutOfProductsGivesItsBestValues) {
  auto const exact = eigenvalues_of(densely(m_hessian, m_problem.pool));
  auto const found = spectrum::solve(m_hessian, random_vectors(m_problem.pool, 1), 1, {GetParam(), 1e-14, 12});
  EXPECT_FALSE(found.converged[0]);
  EXPECT_LE(found.products, 16);
  EXPECT_NEAR(found.values[0], exact[0], 0.2 * exact[0]);
  EXPECT_GT(found.residuals[0], 1e-14);
  EXPECT_NEAR(found.vectors.dots(found.vectors)[0], 1, 1e-10);
}

INSTANTIATE_TEST_SUITE_P(EigenSolver, HessianOf, testing::Values("krylov_schur", "lobpcg", "davidson"),
                         [](auto const& solver) { return solver.param; });

TEST(EigenSolver, ZeroAndNotANumberAreAnswered) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  auto const pool = std::make_shared<spectrum::VectorPool<double, Space>>(world, 20);
  DenseOperator const zero({20, std::vector<double>(400, 0.0)}, pool->layout());
  auto const none = spectrum::solve(zero, random_vectors(pool, 1), 1, {});
  EXPECT_EQ(none.values[0], 0);
  EXPECT_TRUE(none.converged[0]);
  DenseOperator const broken({20, std::vector<double>(400, std::nan(""))}, pool->layout());
  auto const unknown = spectrum::solve(broken, random_vectors(pool, 1), 1, {});
  EXPECT_TRUE(std::isnan(unknown.values[0]));
  EXPECT_FALSE(unknown.converged[0]);
}

}  // namespace
