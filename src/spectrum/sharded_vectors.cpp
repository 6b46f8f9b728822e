#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/spectrum/sharded_vectors.hpp>

#include <algorithm>

namespace onedge::spectrum {

ShardLayout::ShardLayout(comm::Communicator const& communicator, std::size_t length)
    : m_communicator(&communicator), m_length(length), m_chunks((length + linalg::chunk - 1) / linalg::chunk) {
  auto const ranks = static_cast<std::size_t>(communicator.size());
  auto const border = [&](std::size_t r) { return std::min(length, m_chunks * r / ranks * linalg::chunk); };
  for (std::size_t r = 0; r < ranks; ++r) m_counts.push_back(border(r + 1) - border(r));
  auto const rank = static_cast<std::size_t>(communicator.rank());
  m_first = border(rank);
  m_first_chunk = m_chunks * rank / ranks;
}

template <class Real, class Space>
ShardedVectors<Real, Space>::ShardedVectors(std::shared_ptr<ShardLayout const> layout, int columns)
    : m_layout(std::move(layout)),
      m_storage("onedge::ShardedVectors::storage", static_cast<std::size_t>(columns), m_layout->local()) {
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
  return VectorWindow<Real, Space>(m_storage.data() + place * m_layout->local(), m_layout->local());
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::clone() const {
  ShardedVectors result(m_layout, columns());
  result.copy(*this);
  return result;
}

namespace {

template <class Real, class Space>
void add_scaled(VectorWindow<Real, Space> a, double alpha, VectorWindow<Real, Space> b, double beta,
                VectorWindow<Real, Space> result) {
  // A factor 0 overwrites, whatever was there.
  Kokkos::parallel_for(
      "onedge::ShardedVectors::combine", range(Space(), result.extent(0)), KOKKOS_LAMBDA(std::size_t i) {
        double const left = alpha == 0.0 ? 0.0 : alpha * static_cast<double>(a(i));
        double const right = beta == 0.0 ? 0.0 : beta * static_cast<double>(b(i));
        result(i) = static_cast<Real>(left + right);
      });
}

}  // namespace

template <class Real, class Space>
void ShardedVectors<Real, Space>::multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b,
                                               double beta) {
  if (overlaps(a)) return multiply_add(alpha, a.clone(), b, beta);
  for (int j = 0; j < columns(); ++j) {
    auto const target = column(j);
    add_scaled<Real, Space>(target, beta, target, 0, target);
    for (int k = 0; k < a.columns(); ++k) {
      double const factor = alpha * b[static_cast<std::size_t>(k) * m_columns.size() + static_cast<std::size_t>(j)];
      add_scaled<Real, Space>(target, 1, a.column(k), factor, target);
    }
  }
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::combine(double alpha, ShardedVectors const& a, double beta, ShardedVectors const& b) {
  if ((overlaps(a) && a.m_columns != m_columns) || (overlaps(b) && b.m_columns != m_columns)) {
    return combine(alpha, a.clone(), beta, b.clone());
  }
  for (int j = 0; j < columns(); ++j) add_scaled<Real, Space>(a.column(j), alpha, b.column(j), beta, column(j));
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::scale(std::vector<double> const& factors) {
  for (int j = 0; j < columns(); ++j) {
    add_scaled<Real, Space>(column(j), factors[static_cast<std::size_t>(j)], column(j), 0, column(j));
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
void ShardedVectors<Real, Space>::randomise(std::uint64_t seed, std::uint64_t draw) {
  for (int j = 0; j < columns(); ++j) {
    RandomStream const random(seed, concat("spectrum ", draw, " ", j));
    auto const target = column(j);
    auto const target_host = Kokkos::create_mirror_view(target);
    for (std::size_t i = 0; i < m_layout->local(); ++i) {
      target_host(i) = static_cast<Real>(random.normal(m_layout->first() + i));
    }
    Kokkos::deep_copy(target, target_host);
  }
}

// Every chunk's sum goes to its own place in one allreduce of otherwise zeros, and everybody adds them in the same
// tree.
template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::sum_pairs(
    std::vector<std::pair<VectorWindow<Real, Space>, VectorWindow<Real, Space>>> const& pairs) const {
  std::size_t const chunks = m_layout->chunks();
  std::vector<double> all(pairs.size() * chunks, 0.0);
  linalg::InnerProducts<Real, Space> products{Space()};
  if (m_layout->local() > 0) {
    std::vector<std::pair<VectorWindow<Real const, Space>, VectorWindow<Real const, Space>>> const operands(
        pairs.begin(), pairs.end());
    auto const sums = products.chunk_sums(operands);
    std::size_t const mine = sums.size() / pairs.size();
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      std::copy_n(sums.begin() + static_cast<std::ptrdiff_t>(pair * mine), mine,
                  all.begin() + static_cast<std::ptrdiff_t>(pair * chunks + m_layout->first_chunk()));
    }
  }
  m_layout->communicator().all_reduce(all.data(), all.size());
  std::vector<double> result;
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    auto const begin = all.begin() + static_cast<std::ptrdiff_t>(pair * chunks);
    result.push_back(linalg::tree_sum({begin, begin + static_cast<std::ptrdiff_t>(chunks)}));
  }
  return result;
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::inner_products(ShardedVectors const& a) const {
  std::vector<std::pair<VectorWindow<Real, Space>, VectorWindow<Real, Space>>> pairs;
  for (int i = 0; i < a.columns(); ++i)
    for (int j = 0; j < columns(); ++j) pairs.emplace_back(a.column(i), column(j));
  return sum_pairs(pairs);
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::dots(ShardedVectors const& a) const {
  std::vector<std::pair<VectorWindow<Real, Space>, VectorWindow<Real, Space>>> pairs;
  for (int j = 0; j < columns(); ++j) pairs.emplace_back(a.column(j), column(j));
  return sum_pairs(pairs);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class ShardedVectors<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
