// λ₁ of a network's Hessian does not depend on how the work is spread; trackers follow it; quadrature of its density.
#include <onedge/spectrum/eigen_tracker.hpp>
#include <onedge/spectrum/spectral_density.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "problem.hpp"

namespace {

using namespace onedge;
using test::Problem;
using test::ProblemShape;
using test::Space;

/// More than four chunks of parameters: every one of four ranks owns some.
ProblemShape wide(std::size_t micro_batch, bool reproducible) {
  return {75, 90, {120, 70}, 4, micro_batch, reproducible, 0.01};
}

template <class Real>
spectrum::EigenPairs<Real, Space> top(Problem<Real>& problem, int count, spectrum::SolverOptions const& options) {
  spectrum::CurvatureOperator<Real, Space> const hessian(problem.objective, problem.pool->layout(), false);
  spectrum::ShardedVectors<Real, Space> initial(problem.pool, options.width(count));
  initial.randomise(3, 0);
  return spectrum::solve(hessian, initial, count, options);
}

TEST(Sharpness, IsTheSameForAnyMicroBatchAndNumberOfRanks) {
  Problem<double> alone(MPI_COMM_SELF, wide(0, false));
  ASSERT_GT(alone.parameters(), 4 * linalg::chunk);
  auto const exact = top(alone, 2, {"krylov_schur", 1e-8, 10000});
  for (std::size_t const micro_batch : {0, 8, 24}) {
    Problem<double> spread(MPI_COMM_WORLD, wide(micro_batch, false));
    auto const found = top(spread, 2, {"krylov_schur", 1e-8, 10000});
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(found.values[i], exact.values[i], 1e-10 * exact.values[i]);
  }
}

template <class Real>
void has_the_same_bits_when_reproducible() {
  Problem<Real> alone(MPI_COMM_SELF, wide(0, true));
  for (std::string const kind : {"krylov_schur", "lobpcg", "davidson"}) {
    auto const exact = top(alone, 2, {kind, 1e-3, 1000});
    for (std::size_t const micro_batch : {8, 24}) {
      Problem<Real> spread(MPI_COMM_WORLD, wide(micro_batch, true));
      auto const found = top(spread, 2, {kind, 1e-3, 1000});
      EXPECT_EQ(found.values, exact.values) << kind;
      EXPECT_EQ(found.residuals, exact.residuals) << kind;
      EXPECT_EQ(found.products, exact.products) << kind;
    }
  }
}

TEST(Sharpness, HasTheSameBitsOnAnyRanksWhenReproducibleDouble) { has_the_same_bits_when_reproducible<double>(); }
TEST(Sharpness, HasTheSameBitsOnAnyRanksWhenReproducibleFloat) { has_the_same_bits_when_reproducible<float>(); }

TEST(Sharpness, OfFloatsIsThatOfDoubles) {
  Problem<double> exact(MPI_COMM_WORLD, wide(0, false));
  Problem<float> rounded(MPI_COMM_WORLD, wide(0, false));
  auto const wanted = top(exact, 3, {"krylov_schur", 1e-7, 10000});
  for (std::string const kind : {"krylov_schur", "lobpcg", "davidson"}) {
    auto const found = top(rounded, 3, {kind, 1e-4, 10000});
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(found.converged[i]) << kind;
      EXPECT_NEAR(found.values[i], wanted.values[i], 3e-6 * wanted.values[0]) << kind;
    }
  }
}

TEST(Sharpness, ABlockMayBeSmallerThanTheNumberOfEigenvalues) {
  Problem<double> problem(MPI_COMM_WORLD, wide(0, false));
  auto const wanted = top(problem, 5, {"krylov_schur", 1e-7, 10000});
  for (int const block : {1, 2}) {
    auto const found = top(problem, 5, {"krylov_schur", 1e-7, 10000, block});
    EXPECT_LT(found.products, wanted.products);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found.values[i], wanted.values[i], 1e-9 * wanted.values[0]);
  }
}

TEST(EigenTracker, StartsFromTheLastVectorsAndFindsTheSameValues) {
  Problem<double> problem(MPI_COMM_WORLD, wide(0, false));
  spectrum::CurvatureOperator<double, Space> const hessian(problem.objective, problem.pool->layout(), false);
  spectrum::ShardedVectors<double, Space> no_hint(problem.pool, 1);
  no_hint.fill(0);
  spectrum::EigenTracker<double, Space> tracker({"krylov_schur", 1e-5, 10000}, 2, 7);
  auto const cold = tracker.measure(hessian, no_hint, 0);
  // A small step away.
  Vector<double, Space> moved("onedge::test::moved", problem.parameters());
  linalg::add_scaled<double, Space>(Space(), problem.point, 1e-4, problem.point, moved);
  problem.objective.set_point(moved);
  auto const warm = tracker.measure(hessian, no_hint, 1);
  EXPECT_LT(warm.products, cold.products);
  EXPECT_NEAR(warm.values[0], cold.values[0], 1e-2 * cold.values[0]);
  auto const exact = top(problem, 2, {"krylov_schur", 1e-8, 10000});
  EXPECT_NEAR(warm.values[0], exact.values[0], 1e-8 * exact.values[0]);
  // One more eigenvalue: the vectors that are there serve, the rest begins with noise.
  tracker.set_count(3);
  auto const more = tracker.measure(hessian, no_hint, 2);
  ASSERT_EQ(more.values.size(), 3);
  EXPECT_NEAR(more.values[1], exact.values[1], 1e-7 * exact.values[1]);
  EXPECT_GT(more.values[1], more.values[2]);
}

TEST(EigenTracker, FindsAnEigenvalueThatRisesFromBelowOutOfTheStartingVector) {
  Problem<double> problem(MPI_COMM_WORLD, wide(0, false));
  spectrum::CurvatureOperator<double, Space> const hessian(problem.objective, problem.pool->layout(), false);
  auto const exact = top(problem, 2, {"krylov_schur", 1e-9, 10000});
  // Told that the second eigenvector was the top one, and that the gradient is that as well.
  spectrum::EigenTracker<double, Space> tracker({"krylov_schur", 1e-4, 10000}, 1, 7);
  tracker.set_vectors(exact.vectors.select({1}));
  auto const found = tracker.measure(hessian, exact.vectors.select({1}), 0);
  EXPECT_NEAR(found.values[0], exact.values[0], 1e-6 * exact.values[0]);
}

TEST(SpectralDensity, IntegratesPolynomialsExactly) {
  Problem<double> problem(MPI_COMM_WORLD, wide(0, false));
  spectrum::CurvatureOperator<double, Space> const hessian(problem.objective, problem.pool->layout(), false);
  auto const density = spectrum::spectral_density<double, Space>(hessian, problem.pool, {2, 12, 5});
  for (std::size_t probe = 0; probe < 2; ++probe) {
    // Moments of the density that v sees are vᵀAᵏv, for k up to twice the steps.
    spectrum::ShardedVectors<double, Space> v(problem.pool, 1), power(problem.pool, 1), next(problem.pool, 1);
    v.randomise_signs(5, probe);
    v.scale({1 / std::sqrt(v.dots(v)[0])});
    power.copy(v);
    for (int k = 0; k < 6; ++k) {
      double quadrature = 0, size = 0;
      for (std::size_t i = 0; i < density.steps; ++i) {
        auto const at = probe * density.steps + i;
        quadrature += density.weights[at] * std::pow(density.nodes[at], k);
        size += density.weights[at] * std::pow(std::abs(density.nodes[at]), k);
        EXPECT_TRUE(i == 0 || density.nodes[at] >= density.nodes[at - 1]);
      }
      EXPECT_NEAR(quadrature, v.dots(power)[0], 1e-12 * std::max(1e-3, size)) << k;
      hessian.apply(power, next);
      power.copy(next);
    }
  }
}

TEST(SpectralDensity, EndsEarlyInAnInvariantSubspace) {
  // H = wd·I where the loss is flat: every vector is an eigenvector.
  struct Identity : spectrum::Operator<double, Space> {
    void apply(spectrum::ShardedVectors<double, Space> const& x,
               spectrum::ShardedVectors<double, Space>& y) const override {
      y.combine(0.5, x, 0, x);
    }
  };
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  auto const pool = std::make_shared<spectrum::VectorPool<double, Space>>(world, 9000);
  auto const density = spectrum::spectral_density<double, Space>(Identity(), pool, {1, 8, 0});
  // Inner products round as sums of a chunk do.
  double const rounding = static_cast<double>(linalg::chunk) * std::numeric_limits<double>::epsilon();
  EXPECT_NEAR(density.nodes[0], 0.5, rounding);
  EXPECT_NEAR(density.weights[0], 1, rounding);
  for (std::size_t i = 1; i < 8; ++i) EXPECT_EQ(density.weights[i], 0);
}

}  // namespace
