#include "vector_kernels.hpp"

#include <algorithm>

namespace onedge::spectrum {

namespace {

// Vectors that one kernel adds up and sums that it makes of them, and elements that one work item handles: neighbours
// side by side on the host, so that all sums use a strip while it is in the caches; one per thread on a device.
constexpr std::size_t most_terms = 32, most_sums = 4;
template <class Space>
constexpr std::size_t strip = is_host_space<Space> ? 512 : 1;

/// result_j(i) ← beta_j · result_j(i) + Σ_k factor_jk a_k(i), added up in double. beta = 0 overwrites, whatever was
/// there.
template <class Real, class Space>
struct Sums {
  std::size_t length = 0, sums = 0, terms = 0;
  Kokkos::Array<Real*, most_sums> results{};
  Kokkos::Array<double, most_sums> betas{};
  Kokkos::Array<Real const*, most_terms> vectors{};
  Kokkos::Array<Kokkos::Array<double, most_terms>, most_sums> factors{};

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t item) const {
    constexpr std::size_t width = strip<Space>;
    std::size_t const begin = item * width;
    std::size_t const count = begin + width <= length ? width : length - begin;
    for (std::size_t j = 0; j < sums; ++j) {
      double partial[width];
      Real* const target = results[j] + begin;
      double const beta = betas[j];
      for (std::size_t i = 0; i < count; ++i) partial[i] = beta == 0 ? 0 : beta * static_cast<double>(target[i]);
      for (std::size_t k = 0; k < terms; ++k) {
        Real const* const vector = vectors[k] + begin;
        double const factor = factors[j][k];
        for (std::size_t i = 0; i < count; ++i) partial[i] += factor * static_cast<double>(vector[i]);
      }
      for (std::size_t i = 0; i < count; ++i) target[i] = static_cast<Real>(partial[i]);
    }
  }
};

template <class Real, class Space>
void add_up(Sums<Real, Space> const& sums) {
  std::size_t const items = (sums.length + strip<Space> - 1) / strip<Space>;
  Kokkos::parallel_for("onedge::VectorPool::add_up", range(Space(), items), sums);
}

template <class Real, class Space>
struct MultiplyElements {
  VectorWindow<Real, Space> values, factors;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const { values(i) *= factors(i); }
};

template <class Real, class Space>
struct Signs {
  Vector<std::uint64_t, Space> bits;
  VectorWindow<Real, Space> values;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const {
    bool const is_positive = (bits(i / signs_per_word) >> (i % signs_per_word)) & 1;
    values(i) = is_positive ? Real(1) : Real(-1);
  }
};

/// One result of up to two terms.
template <class Real, class Space>
class Single {
 public:
  Single(VectorWindow<Real, Space> const& target, double beta) {
    m_sums.length = target.extent(0);
    m_sums.sums = 1;
    m_sums.results[0] = target.data();
    m_sums.betas[0] = beta;
  }
  void add(double factor, VectorWindow<Real, Space> const& vector) {
    if (factor == 0) return;  // whatever stands there
    m_sums.vectors[m_sums.terms] = vector.data();
    m_sums.factors[0][m_sums.terms++] = factor;
  }
  void run() const { add_up(m_sums); }

 private:
  Sums<Real, Space> m_sums;
};

}  // namespace

template <class Real, class Space>
void multiply_add(Columns<Real, Space> const& target, Columns<Real, Space> const& a,
                  std::vector<double> const& factors) {
  for (std::size_t first = 0; first < target.size(); first += most_sums) {
    Sums<Real, Space> sums;
    sums.length = target[first].extent(0);
    sums.sums = std::min(most_sums, target.size() - first);
    for (std::size_t j = 0; j < sums.sums; ++j) {
      sums.results[j] = target[first + j].data();
      sums.betas[j] = factors.back();
    }
    std::size_t term = 0;
    do {
      sums.terms = std::min(most_terms, a.size() - term);
      for (std::size_t k = 0; k < sums.terms; ++k) {
        sums.vectors[k] = a[term + k].data();
        for (std::size_t j = 0; j < sums.sums; ++j) {
          sums.factors[j][k] = factors[(term + k) * target.size() + first + j];
        }
      }
      add_up(sums);
      for (std::size_t j = 0; j < sums.sums; ++j) sums.betas[j] = 1;
      term += sums.terms;
    } while (term < a.size());
  }
}

template <class Real, class Space>
void combine(Columns<Real, Space> const& target, double alpha, Columns<Real, Space> const& a, double beta,
             Columns<Real, Space> const& b) {
  for (std::size_t j = 0; j < target.size(); ++j) {
    Single<Real, Space> sum(target[j], 0);
    sum.add(alpha, a[j]);
    sum.add(beta, b[j]);
    sum.run();
  }
}

template <class Real, class Space>
void scale(Columns<Real, Space> const& target, std::vector<double> const& factors) {
  for (std::size_t j = 0; j < target.size(); ++j) Single<Real, Space>(target[j], factors[j]).run();
}

template <class Real, class Space>
void multiply_elements(Columns<Real, Space> const& target, VectorWindow<Real, Space> const& factors) {
  for (auto const& column : target) {
    Kokkos::parallel_for("onedge::VectorPool::multiply_elements", range(Space(), factors.extent(0)),
                         MultiplyElements<Real, Space>{column, factors});
  }
}

template <class Real, class Space>
void set_signs(Vector<std::uint64_t, Space> const& bits, VectorWindow<Real, Space> const& target) {
  Kokkos::parallel_for("onedge::VectorPool::set_signs", range(Space(), target.extent(0)),
                       Signs<Real, Space>{bits, target});
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                        \
  template void multiply_add<Real, Space>(Columns<Real, Space> const&, Columns<Real, Space> const&,            \
                                          std::vector<double> const&);                                         \
  template void combine<Real, Space>(Columns<Real, Space> const&, double, Columns<Real, Space> const&, double, \
                                     Columns<Real, Space> const&);                                             \
  template void scale<Real, Space>(Columns<Real, Space> const&, std::vector<double> const&);                   \
  template void multiply_elements<Real, Space>(Columns<Real, Space> const&, VectorWindow<Real, Space> const&); \
  template void set_signs<Real, Space>(Vector<std::uint64_t, Space> const&, VectorWindow<Real, Space> const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
