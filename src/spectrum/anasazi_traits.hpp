#pragma once
// What Anasazi wants to know of vectors and operators. The scalar is Anasazi's own (of its small dense matrices); it
// may be wider than the vectors' precision.
#include <onedge/spectrum/operator.hpp>
#include <onedge/spectrum/sharded_vectors.hpp>

#include <AnasaziMultiVecTraits.hpp>
#include <AnasaziOperatorTraits.hpp>
#include <Teuchos_Range1D.hpp>
#include <Teuchos_SerialDenseMatrix.hpp>

#include <cmath>
#include <ostream>
#include <stdexcept>

#include "solution.hpp"

namespace Anasazi {

/// Thrown where a solver goes on and on without a product of A; no AnasaziError, which solvers would keep to
/// themselves.
struct NeverEnding : std::runtime_error {
  NeverEnding() : std::runtime_error("the eigen-solver does not come to an end") {}
};

template <class Scalar, class Real, class Space>
class MultiVecTraits<Scalar, onedge::spectrum::ShardedVectors<Real, Space>> {
  using MV = onedge::spectrum::ShardedVectors<Real, Space>;
  using Matrix = Teuchos::SerialDenseMatrix<int, Scalar>;

  static std::vector<int> indices(Teuchos::Range1D const& range) {
    std::vector<int> result;
    for (int i = static_cast<int>(range.lbound()); i <= static_cast<int>(range.ubound()); ++i) result.push_back(i);
    return result;
  }
  // Views of const vectors are only ever read.
  static MV view(MV const& mv, std::vector<int> const& index) { return mv.select(index); }
  static std::vector<int> first(std::size_t count) { return indices(Teuchos::Range1D(0, static_cast<int>(count) - 1)); }

 public:
  static Teuchos::RCP<MV> Clone(MV const& mv, int count) { return Teuchos::rcp(new MV(mv.pool(), count)); }
  static Teuchos::RCP<MV> CloneCopy(MV const& mv) {
    auto copy = Clone(mv, mv.columns());
    copy->copy(mv);
    return copy;
  }
  static Teuchos::RCP<MV> CloneCopy(MV const& mv, std::vector<int> const& index) { return CloneCopy(view(mv, index)); }
  static Teuchos::RCP<MV> CloneCopy(MV const& mv, Teuchos::Range1D const& range) {
    return CloneCopy(mv, indices(range));
  }
  static Teuchos::RCP<MV> CloneViewNonConst(MV& mv, std::vector<int> const& index) {
    return Teuchos::rcp(new MV(view(mv, index)));
  }
  static Teuchos::RCP<MV> CloneViewNonConst(MV& mv, Teuchos::Range1D const& range) {
    return CloneViewNonConst(mv, indices(range));
  }
  static Teuchos::RCP<MV const> CloneView(MV const& mv, std::vector<int> const& index) {
    return Teuchos::rcp(new MV(view(mv, index)));
  }
  static Teuchos::RCP<MV const> CloneView(MV const& mv, Teuchos::Range1D const& range) {
    return CloneView(mv, indices(range));
  }

  static ptrdiff_t GetGlobalLength(MV const& mv) { return static_cast<ptrdiff_t>(mv.layout().length()); }
  static int GetNumberVecs(MV const& mv) { return mv.columns(); }

  static void MvTimesMatAddMv(Scalar alpha, MV const& a, Matrix const& b, Scalar beta, MV& mv) {
    std::vector<double> values;
    for (int k = 0; k < b.numRows(); ++k)
      for (int j = 0; j < b.numCols(); ++j) values.push_back(static_cast<double>(b(k, j)));
    mv.multiply_add(static_cast<double>(alpha), a, values, static_cast<double>(beta));
  }
  static void MvAddMv(Scalar alpha, MV const& a, Scalar beta, MV const& b, MV& mv) {
    mv.combine(static_cast<double>(alpha), a, static_cast<double>(beta), b);
  }
  static void MvScale(MV& mv, Scalar alpha) {
    mv.scale(std::vector<double>(static_cast<std::size_t>(mv.columns()), static_cast<double>(alpha)));
  }
  static void MvScale(MV& mv, std::vector<Scalar> const& alpha) {
    mv.scale(std::vector<double>(alpha.begin(), alpha.end()));
  }
  /// b(i, j) = alpha ⟨a_i, mv_j⟩.
  static void MvTransMv(Scalar alpha, MV const& a, MV const& mv, Matrix& b) {
    if (mv.pool()->is_overdrawn()) throw NeverEnding();
    auto const products = onedge::spectrum::checked(mv.inner_products(a));
    auto const width = static_cast<std::size_t>(mv.columns());
    for (int i = 0; i < a.columns(); ++i)
      for (int j = 0; j < mv.columns(); ++j) {
        b(i, j) = static_cast<Scalar>(static_cast<double>(alpha) *
                                      products[static_cast<std::size_t>(i) * width + static_cast<std::size_t>(j)]);
      }
  }
  static void MvDot(MV const& mv, MV const& a, std::vector<Scalar>& b) {
    auto const products = onedge::spectrum::checked(mv.dots(a));
    for (std::size_t j = 0; j < products.size(); ++j) b[j] = static_cast<Scalar>(products[j]);
  }
  static void MvNorm(MV const& mv, std::vector<typename Teuchos::ScalarTraits<Scalar>::magnitudeType>& norms) {
    auto const products = onedge::spectrum::checked(mv.dots(mv));
    for (std::size_t j = 0; j < products.size(); ++j) norms[j] = static_cast<Scalar>(std::sqrt(products[j]));
  }

  static void SetBlock(MV const& a, std::vector<int> const& index, MV& mv) {
    view(mv, index).copy(view(a, first(index.size())));
  }
  static void SetBlock(MV const& a, Teuchos::Range1D const& range, MV& mv) { SetBlock(a, indices(range), mv); }
  static void Assign(MV const& a, MV& mv) { view(mv, first(static_cast<std::size_t>(a.columns()))).copy(a); }
  static void MvRandom(MV& mv) { mv.randomise(0, mv.pool()->next_draw()); }
  static void MvInit(MV& mv, Scalar alpha = Teuchos::ScalarTraits<Scalar>::zero()) {
    mv.fill(static_cast<double>(alpha));
  }
  static void MvPrint(MV const& mv, std::ostream& out) {
    out << mv.columns() << " sharded vectors of length " << mv.layout().length() << "\n";
  }
};

template <class Scalar, class Real, class Space>
class OperatorTraits<Scalar, onedge::spectrum::ShardedVectors<Real, Space>, onedge::spectrum::Operator<Real, Space>> {
  using MV = onedge::spectrum::ShardedVectors<Real, Space>;

 public:
  static void Apply(onedge::spectrum::Operator<Real, Space> const& op, MV const& x, MV& y) { op.apply(x, y); }
};

}  // namespace Anasazi
