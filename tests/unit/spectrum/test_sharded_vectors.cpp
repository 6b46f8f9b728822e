// Anasazi's own contract testers, and inner products that do not depend on the ranks.
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/spectrum/sharded_vectors.hpp>  // before Anasazi: Debian's brings an old Kokkos along

#include <AnasaziBasicOutputManager.hpp>
#include <AnasaziMVOPTester.hpp>
#include <Teuchos_FancyOStream.hpp>
#include <gtest/gtest.h>
#include <spectrum/anasazi_traits.hpp>

#include <cmath>
#include <sstream>

namespace {

using namespace onedge;
using Space = DefaultSpace;

/// A diagonal matrix with entries 1 … 2.
template <class Real>
class Diagonal : public spectrum::Operator<Real, Space> {
 public:
  explicit Diagonal(std::shared_ptr<spectrum::VectorPool<Real, Space>> const& pool) : m_diagonal(pool, 1) {
    auto const& layout = pool->layout();
    auto const entries = m_diagonal.column(0);
    auto const entries_host = Kokkos::create_mirror_view(entries);
    for (std::size_t i = 0; i < layout.local(); ++i) {
      entries_host(i) = Real(1) + static_cast<Real>(layout.first() + i) / static_cast<Real>(layout.length());
    }
    Kokkos::deep_copy(entries, entries_host);
  }
  void apply(spectrum::ShardedVectors<Real, Space> const& x, spectrum::ShardedVectors<Real, Space>& y) const override {
    for (int c = 0; c < x.columns(); ++c) {
      auto const from = x.column(c), to = y.column(c), d = m_diagonal.column(0);
      Kokkos::parallel_for(
          "onedge::test::Diagonal", range(Space(), to.extent(0)),
          KOKKOS_LAMBDA(std::size_t i) { to(i) = d(i) * from(i); });
    }
  }

 private:
  spectrum::ShardedVectors<Real, Space> m_diagonal;
};

template <class Real>
void passes_contract(std::size_t length) {
  comm::MpiCommunicator const world(MPI_COMM_WORLD);
  auto const pool = std::make_shared<spectrum::VectorPool<Real, Space>>(world, length);
  using Vectors = spectrum::ShardedVectors<Real, Space>;
  auto const vectors = Teuchos::rcp(new Vectors(pool, 5));
  Anasazi::MultiVecTraits<Real, Vectors>::MvRandom(*vectors);
  std::ostringstream said;
  auto const output = Teuchos::rcp(
      new Anasazi::BasicOutputManager<Real>(Anasazi::Warnings, Teuchos::fancyOStream(Teuchos::rcp(&said, false))));
  EXPECT_TRUE((Anasazi::TestMultiVecTraits<Real, Vectors>(output, vectors))) << said.str();
  auto const diagonal = Teuchos::rcp(new Diagonal<Real>(pool));
  EXPECT_TRUE((Anasazi::TestOperatorTraits<Real, Vectors, spectrum::Operator<Real, Space>>(output, vectors, diagonal)))
      << said.str();
}

TEST(ShardedVectors, PassAnasazisContractTestersDouble) { passes_contract<double>(20000); }
TEST(ShardedVectors, PassAnasazisContractTestersFloat) { passes_contract<float>(20000); }
TEST(ShardedVectors, PassAnasazisContractTestersWhereRanksOwnNothing) { passes_contract<double>(300); }

template <class Real>
std::vector<double> products(MPI_Comm mpi, std::size_t length) {
  comm::MpiCommunicator const communicator(mpi);
  auto const pool = std::make_shared<spectrum::VectorPool<Real, Space>>(communicator, length);
  spectrum::ShardedVectors<Real, Space> a(pool, 3), b(pool, 2);
  a.randomise(1, 0);
  b.randomise(1, 1);
  auto result = b.inner_products(a);
  auto const norms = a.dots(a);
  result.insert(result.end(), norms.begin(), norms.end());
  return result;
}

TEST(ShardedVectors, InnerProductsHaveTheSameBitsOnAnyNumberOfRanks) {
  for (std::size_t const length : {std::size_t{1}, std::size_t{4096}, std::size_t{50001}}) {
    EXPECT_EQ(products<float>(MPI_COMM_WORLD, length), products<float>(MPI_COMM_SELF, length));
    EXPECT_EQ(products<double>(MPI_COMM_WORLD, length), products<double>(MPI_COMM_SELF, length));
  }
}

TEST(ShardedVectors, InnerProductsAreThose) {
  std::size_t const length = 9000;
  auto const found = products<double>(MPI_COMM_WORLD, length);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 2; ++j) {
      RandomStream const a(1, "spectrum 0 " + std::to_string(i)), b(1, "spectrum 1 " + std::to_string(j));
      double sum = 0;
      for (std::size_t k = 0; k < length; ++k) sum += a.normal(k) * b.normal(k);
      EXPECT_NEAR(found[static_cast<std::size_t>(2 * i + j)], sum, 1e-11 * std::sqrt(static_cast<double>(length)));
    }
  }
}

TEST(ShardedVectors, ColumnsWhoseNamesMeanOneStreamAreNotEqual) {
  comm::MpiCommunicator const communicator(MPI_COMM_WORLD);
  auto const pool = std::make_shared<spectrum::VectorPool<double, Space>>(communicator, 4096);
  spectrum::ShardedVectors<double, Space> a(pool, 86);
  std::uint64_t const draw = 2765932;
  ASSERT_EQ(RandomStream::number("spectrum 2765932 8"), RandomStream::number("spectrum 2765932 84"));
  a.randomise(1, draw);
  auto const products = a.select({8, 9}).inner_products(a.select({84, 85}));
  for (double const product : products) EXPECT_LT(std::abs(product), 6 * 64.0);  // six standard deviations
}

std::vector<double> sign_products(MPI_Comm mpi, std::size_t length) {
  comm::MpiCommunicator const communicator(mpi);
  auto const pool = std::make_shared<spectrum::VectorPool<double, Space>>(communicator, length);
  spectrum::ShardedVectors<double, Space> a(pool, 3);
  a.randomise_signs(1, 0);
  return a.inner_products(a);
}

TEST(ShardedVectors, RandomSignsAreSignsAndDoNotDependOnTheRanks) {
  double const length = 50001;
  auto const found = sign_products(MPI_COMM_WORLD, 50001);
  EXPECT_EQ(found, sign_products(MPI_COMM_SELF, 50001));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      if (i == j) {
        EXPECT_EQ(found[3 * i + j], length);
      } else {
        EXPECT_LT(std::abs(found[3 * i + j]), 5 * std::sqrt(length));  // they look independent
      }
    }
}

}  // namespace
