#pragma once
// Symmetric operators with eigenvalues that are known because they were chosen.
#include <onedge/comm/slices.hpp>
#include <onedge/core/random.hpp>
#include <onedge/spectrum/operator.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "problem.hpp"

namespace onedge::test {

/// Q diag(values) Qᵀ with Q a product of Householder reflections, computed in double and rounded to Real at the end.
template <class Real>
class Rotated : public spectrum::Operator<Real, Space> {
 public:
  using Vectors = spectrum::ShardedVectors<Real, Space>;

  Rotated(std::vector<double> values, int reflections, spectrum::ShardLayout const& layout)
      : m_values(std::move(values)), m_slices(Space(), layout.communicator(), layout.counts()) {
    for (int r = 0; r < reflections; ++r) {
      RandomStream const random(static_cast<std::uint64_t>(r), "reflection");
      std::vector<double> normal(m_values.size());
      double square = 0;
      for (std::size_t i = 0; i < normal.size(); ++i) normal[i] = random.normal(i), square += normal[i] * normal[i];
      for (double& entry : normal) entry *= std::sqrt(2 / square);
      m_normals.push_back(normal);
    }
  }

  void apply(Vectors const& x, Vectors& y) const override {
    auto const columns = static_cast<std::size_t>(x.columns()), n = m_values.size();
    m_applied += x.columns();
    Matrix<Real, Space> whole("onedge::test::whole", columns, n);
    m_slices.all_gather(x.slices(), whole);
    auto const whole_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), whole);
    for (std::size_t c = 0; c < columns; ++c) {
      std::vector<double> v(n);
      for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<double>(whole_host(c, i));
      for (auto normal = m_normals.begin(); normal != m_normals.end(); ++normal) reflect(*normal, v);
      for (std::size_t i = 0; i < n; ++i) v[i] *= m_values[i];
      for (auto normal = m_normals.rbegin(); normal != m_normals.rend(); ++normal) reflect(*normal, v);
      set_column(y, static_cast<int>(c), v);
    }
  }

  /// Products so far.
  std::int64_t applied() const { return m_applied; }

 private:
  static void reflect(std::vector<double> const& normal, std::vector<double>& v) {
    double product = 0;
    for (std::size_t i = 0; i < v.size(); ++i) product += normal[i] * v[i];
    for (std::size_t i = 0; i < v.size(); ++i) v[i] -= product * normal[i];
  }

  std::vector<double> m_values;
  std::vector<std::vector<double>> m_normals;
  mutable comm::Slices<Real, Space> m_slices;
  mutable std::int64_t m_applied = 0;
};

}  // namespace onedge::test
