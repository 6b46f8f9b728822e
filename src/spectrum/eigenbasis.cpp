#include <onedge/core/error.hpp>
#include <onedge/spectrum/eigen_solver.hpp>  // before Teuchos: Debian's brings an old Kokkos along

#include <Teuchos_LAPACK.hpp>

#include "solution.hpp"

namespace onedge::spectrum {

std::vector<double> Eigenbasis::first(int count) const {
  auto const n = values.size(), width = static_cast<std::size_t>(count);
  std::vector<double> result(n * width);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < width; ++j) result[i * width + j] = vectors[i * n + j];
  return result;
}

Eigenbasis eigenbasis(std::vector<double> const& matrix, int n) {
  auto const size = static_cast<std::size_t>(n);
  std::vector<double> work(std::max<std::size_t>(1, 64 * size)), ascending(size), a(size * size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j < size; ++j) a[i * size + j] = 0.5 * (matrix[i * size + j] + matrix[j * size + i]);
  a = checked(std::move(a));
  int info = 0;
  Teuchos::LAPACK<int, double>().SYEV('V', 'U', n, a.data(), n, ascending.data(), work.data(),
                                      static_cast<int>(work.size()), &info);
  require(info == 0, "LAPACK's syev returned ", info);
  // Column-major and ascending, so row k of `a` is the k-th eigenvector.
  Eigenbasis basis{{}, std::vector<double>(size * size)};
  for (std::size_t j = 0; j < size; ++j) {
    std::size_t const k = size - 1 - j;
    basis.values.push_back(ascending[k]);
    for (std::size_t i = 0; i < size; ++i) basis.vectors[i * size + j] = a[k * size + i];
  }
  return basis;
}

}  // namespace onedge::spectrum
