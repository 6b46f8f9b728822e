#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/spectrum/sharded_vectors.hpp>

#include <algorithm>

namespace onedge::spectrum {

namespace {

/// Two columns of a draw whose names mean one stream (one draw in some millions) would be equal: the later gets
/// another.
RandomStream stream_of_column(std::uint64_t seed, std::uint64_t draw, int j) {
  auto const name = [&](int column) { return concat("spectrum ", draw, " ", column); };
  for (int i = 0; i < j; ++i) {
    if (RandomStream::number(name(i)) == RandomStream::number(name(j))) return {seed, name(j) + " again"};
  }
  return {seed, name(j)};
}

}  // namespace

template <class Real, class Space>
ShardedVectors<Real, Space>::ShardedVectors(std::shared_ptr<Pool> pool, int columns)
    : m_pool(std::move(pool)), m_storage(m_pool->take(columns)) {
  for (int c = 0; c < columns; ++c) m_columns.push_back(c);
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::select(std::vector<int> const& columns) const {
  ShardedVectors result = *this;
  result.m_columns.clear();
  for (int const c : columns) {
    require(c >= 0 && c < this->columns(), "column ", c, " of ", this->columns(), " sharded vectors");
    result.m_columns.push_back(m_columns[static_cast<std::size_t>(c)]);
  }
  return result;
}

template <class Real, class Space>
VectorWindow<Real, Space> ShardedVectors<Real, Space>::column(int index) const {
  auto const place = static_cast<std::size_t>(m_columns[static_cast<std::size_t>(index)]);
  return VectorWindow<Real, Space>(m_storage->data() + place * layout().local(), layout().local());
}

template <class Real, class Space>
std::vector<VectorWindow<Real, Space>> ShardedVectors<Real, Space>::slices() const {
  std::vector<VectorWindow<Real, Space>> result;
  for (int c = 0; c < columns(); ++c) result.push_back(column(c));
  return result;
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::clone() const {
  ShardedVectors result(m_pool, columns());
  result.copy(*this);
  return result;
}

namespace {

// Vectors that one kernel adds up, and elements that one work item handles: neighbours side by side on the host, one
// per thread on a device.
constexpr int most_terms = 32;
template <class Space>
constexpr std::size_t strip = is_host_space<Space> ? 512 : 1;

/// result(i) ← beta · result(i) + Σ_k factor_k a_k(i), added up in double. beta = 0 overwrites, whatever was there.
template <class Real, class Space>
struct Sum {
  VectorWindow<Real, Space> result;
  double beta = 0;
  int terms = 0;
  Kokkos::Array<Real const*, most_terms> vectors;
  Kokkos::Array<double, most_terms> factors;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t item) const {
    constexpr std::size_t width = strip<Space>;
    std::size_t const begin = item * width;
    std::size_t const count = begin + width <= result.extent(0) ? width : result.extent(0) - begin;
    double sums[width];
    Real* const target = result.data() + begin;
    for (std::size_t i = 0; i < count; ++i) sums[i] = beta == 0 ? 0 : beta * static_cast<double>(target[i]);
    for (int k = 0; k < terms; ++k) {
      Real const* const vector = vectors[static_cast<std::size_t>(k)] + begin;
      double const factor = factors[static_cast<std::size_t>(k)];
      for (std::size_t i = 0; i < count; ++i) sums[i] += factor * static_cast<double>(vector[i]);
    }
    for (std::size_t i = 0; i < count; ++i) target[i] = static_cast<Real>(sums[i]);
  }
};

template <class Real, class Space>
void add_up(Sum<Real, Space> const& sum) {
  std::size_t const items = (sum.result.extent(0) + strip<Space> - 1) / strip<Space>;
  Kokkos::parallel_for("onedge::ShardedVectors::add_up", range(Space(), items), sum);
}

template <class Real, class Space>
struct MultiplyElements {
  VectorWindow<Real, Space> values, factors;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const { values(i) *= factors(i); }
};

// A drawn number serves this many elements, one bit each.
constexpr std::size_t signs_per_word = 32;

template <class Real, class Space>
struct Signs {
  Vector<std::uint64_t, Space> bits;
  VectorWindow<Real, Space> values;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const {
    bool const is_positive = (bits(i / signs_per_word) >> (i % signs_per_word)) & 1;
    values(i) = is_positive ? Real(1) : Real(-1);
  }
};

}  // namespace

template <class Real, class Space>
void ShardedVectors<Real, Space>::multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b,
                                               double beta) {
  if (overlaps(a)) return multiply_add(alpha, a.clone(), b, beta);
  for (int j = 0; j < columns(); ++j) {
    Sum<Real, Space> sum{column(j), beta, 0, {}, {}};
    for (int k = 0; k < a.columns(); ++k) {
      auto const term = static_cast<std::size_t>(sum.terms++);
      sum.vectors[term] = a.column(k).data();
      sum.factors[term] = alpha * b[static_cast<std::size_t>(k) * m_columns.size() + static_cast<std::size_t>(j)];
      if (sum.terms < most_terms) continue;
      add_up(sum);
      sum.terms = 0;
      sum.beta = 1;
    }
    if (sum.terms > 0 || a.columns() == 0) add_up(sum);
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::combine(double alpha, ShardedVectors const& a, double beta, ShardedVectors const& b) {
  if ((overlaps(a) && a.m_columns != m_columns) || (overlaps(b) && b.m_columns != m_columns)) {
    return combine(alpha, a.clone(), beta, b.clone());
  }
  for (int j = 0; j < columns(); ++j) {
    Sum<Real, Space> sum{column(j), 0, 0, {}, {}};
    auto const add = [&](double factor, ShardedVectors const& from) {
      if (factor == 0) return;  // whatever stands there
      sum.vectors[static_cast<std::size_t>(sum.terms)] = from.column(j).data();
      sum.factors[static_cast<std::size_t>(sum.terms++)] = factor;
    };
    add(alpha, a);
    add(beta, b);
    add_up(sum);
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::scale(std::vector<double> const& factors) {
  for (int j = 0; j < columns(); ++j) {
    add_up(Sum<Real, Space>{column(j), factors[static_cast<std::size_t>(j)], 0, {}, {}});
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::multiply_elements(ShardedVectors const& diagonal) {
  auto const factors = diagonal.column(0);
  for (int j = 0; j < columns(); ++j) {
    Kokkos::parallel_for("onedge::ShardedVectors::multiply_elements", range(Space(), factors.extent(0)),
                         MultiplyElements<Real, Space>{column(j), factors});
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::fill(double value) {
  for (int j = 0; j < columns(); ++j) Kokkos::deep_copy(Space(), column(j), static_cast<Real>(value));
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::copy(ShardedVectors const& other) {
  if (overlaps(other) && other.m_columns != m_columns) return copy(other.clone());
  for (int j = 0; j < columns(); ++j) Kokkos::deep_copy(Space(), column(j), other.column(j));
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::randomise_signs(std::uint64_t seed, std::uint64_t draw) {
  // Slices begin on multiples of a chunk, hence of a word.
  std::size_t const first = layout().first() / signs_per_word;
  std::size_t const words = (layout().local() + signs_per_word - 1) / signs_per_word;
  auto const bits = uninitialised<Vector<std::uint64_t, Space>>("onedge::ShardedVectors::bits", words);
  auto const bits_host = Kokkos::create_mirror_view(bits);
  for (int j = 0; j < columns(); ++j) {
    RandomStream const random = stream_of_column(seed, draw, j);
    for (std::size_t i = 0; i < words; ++i)
      bits_host(i) = random.integer(first + i, std::uint64_t{1} << signs_per_word);
    Kokkos::deep_copy(bits, bits_host);
    Kokkos::parallel_for("onedge::ShardedVectors::randomise_signs", range(Space(), layout().local()),
                         Signs<Real, Space>{bits, column(j)});
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::randomise(std::uint64_t seed, std::uint64_t draw) {
  for (int j = 0; j < columns(); ++j) {
    RandomStream const random = stream_of_column(seed, draw, j);
    auto const target = column(j);
    auto const target_host = Kokkos::create_mirror_view(target);
    for (std::size_t i = 0; i < layout().local(); ++i) {
      target_host(i) = static_cast<Real>(random.normal(layout().first() + i));
    }
    Kokkos::deep_copy(target, target_host);
  }
}

// Every chunk's sum goes to its own place in one allreduce of otherwise zeros, and everybody adds them in the same
// tree.
template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::sum_pairs(
    std::vector<std::pair<Operand, Operand>> const& pairs) const {
  if (pairs.empty()) return {};
  std::size_t const chunks = layout().chunks();
  std::vector<double> all(pairs.size() * chunks, 0.0);
  if (layout().local() > 0) {
    auto const sums = m_pool->inner_products().chunk_sums(pairs);
    std::size_t const mine = sums.size() / pairs.size();
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      std::copy_n(sums.begin() + static_cast<std::ptrdiff_t>(pair * mine), mine,
                  all.begin() + static_cast<std::ptrdiff_t>(pair * chunks + layout().first_chunk()));
    }
  }
  if (layout().communicator().size() > 1) layout().communicator().all_reduce(all.data(), all.size());
  std::vector<double> result;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    auto const begin = all.begin() + static_cast<std::ptrdiff_t>(pair * chunks);
    result.push_back(linalg::tree_sum({begin, begin + static_cast<std::ptrdiff_t>(chunks)}));
  }
  return result;
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::inner_products(ShardedVectors const& a) const {
  std::vector<std::pair<Operand, Operand>> pairs;
  for (int i = 0; i < a.columns(); ++i)
    for (int j = 0; j < columns(); ++j) pairs.emplace_back(a.column(i), column(j));
  return sum_pairs(pairs);
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::dots(ShardedVectors const& a) const {
  std::vector<std::pair<Operand, Operand>> pairs;
  for (int j = 0; j < columns(); ++j) pairs.emplace_back(a.column(j), column(j));
  return sum_pairs(pairs);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class ShardedVectors<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
