#include <onedge/core/error.hpp>
#include <onedge/spectrum/sharded_vectors.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace onedge::spectrum {

using Kind = VectorTask::Kind;

template <class Real, class Space>
ShardedVectors<Real, Space>::ShardedVectors(std::shared_ptr<Pool> pool, int columns) : m_pool(std::move(pool)) {
  for (int c = 0; c < columns; ++c) m_columns.push_back(m_pool->take());
}

template <class Real, class Space>
ShardedVectors<Real, Space>::ShardedVectors(std::shared_ptr<Pool> pool, std::vector<std::int64_t> const& numbers)
    : m_pool(std::move(pool)) {
  for (auto const number : numbers) m_columns.push_back(m_pool->slot(number));
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::select(std::vector<int> const& columns) const {
  ShardedVectors result(m_pool, 0);
  for (int const c : columns) {
    require(c >= 0 && c < this->columns(), "column ", c, " of ", this->columns(), " sharded vectors");
    result.m_columns.push_back(m_columns[static_cast<std::size_t>(c)]);
  }
  return result;
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::range(int first, int count) const {
  std::vector<int> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return select(indices);
}

template <class Real, class Space>
VectorWindow<Real, Space> ShardedVectors<Real, Space>::column(int index) const {
  auto const& values = m_columns[static_cast<std::size_t>(index)]->values;
  return VectorWindow<Real, Space>(values.data(), values.extent(0));
}

template <class Real, class Space>
std::vector<VectorWindow<Real, Space>> ShardedVectors<Real, Space>::slices() const {
  std::vector<VectorWindow<Real, Space>> result;
  for (int c = 0; c < columns(); ++c) result.push_back(column(c));
  return result;
}

template <class Real, class Space>
std::vector<std::int64_t> ShardedVectors<Real, Space>::numbers() const {
  std::vector<std::int64_t> result;
  for (auto const& slot : m_columns) result.push_back(slot->number);
  return result;
}

template <class Real, class Space>
ShardedVectors<Real, Space> ShardedVectors<Real, Space>::clone() const {
  ShardedVectors result(m_pool, columns());
  result.copy(*this);
  return result;
}

template <class Real, class Space>
bool ShardedVectors<Real, Space>::disturbs(ShardedVectors const& other) const {
  for (std::size_t j = 0; j < other.m_columns.size(); ++j) {
    auto const found = std::find(m_columns.begin(), m_columns.end(), other.m_columns[j]);
    if (found != m_columns.end() && found != m_columns.begin() + static_cast<std::ptrdiff_t>(j)) return true;
  }
  return false;
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::multiply_add(double alpha, ShardedVectors const& a, std::vector<double> const& b,
                                               double beta) {
  bool const is_shared = std::any_of(m_columns.begin(), m_columns.end(), [&](auto const& column) {
    return std::find(a.m_columns.begin(), a.m_columns.end(), column) != a.m_columns.end();
  });
  if (is_shared) return multiply_add(alpha, a.clone(), b, beta);
  VectorTask task{Kind::multiply_add, numbers(), a.numbers(), {}, b};
  for (double& factor : task.numbers) factor *= alpha;
  task.numbers.push_back(beta);
  m_pool->perform(task);
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::combine(double alpha, ShardedVectors const& a, double beta, ShardedVectors const& b) {
  if (disturbs(a) || disturbs(b)) return combine(alpha, a.clone(), beta, b.clone());
  m_pool->perform({Kind::combine, numbers(), a.numbers(), b.numbers(), {alpha, beta}});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::scale(std::vector<double> const& factors) {
  m_pool->perform({Kind::scale, numbers(), {}, {}, factors});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::multiply_elements(ShardedVectors const& diagonal) {
  m_pool->perform({Kind::multiply_elements, numbers(), diagonal.numbers(), {}, {}});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::fill(double value) {
  m_pool->perform({Kind::fill, numbers(), {}, {}, {value}});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::copy(ShardedVectors const& other) {
  if (disturbs(other)) return copy(other.clone());
  m_pool->perform({Kind::copy, numbers(), other.numbers(), {}, {}});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::randomise(std::uint64_t seed, std::uint64_t draw) {
  m_pool->perform({Kind::randomise, numbers(), {}, {}, {}, seed, draw});
}

template <class Real, class Space>
void ShardedVectors<Real, Space>::randomise_signs(std::uint64_t seed, std::uint64_t draw) {
  m_pool->perform({Kind::randomise_signs, numbers(), {}, {}, {}, seed, draw});
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::inner_products(ShardedVectors const& a) const {
  return m_pool->perform({Kind::inner_products, {}, a.numbers(), numbers(), {}});
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::dots(ShardedVectors const& a) const {
  return m_pool->perform({Kind::dots, {}, a.numbers(), numbers(), {}});
}

template <class Real, class Space>
std::vector<double> ShardedVectors<Real, Space>::norms() const {
  auto result = dots(*this);
  for (double& value : result) value = std::sqrt(value);
  return result;
}

#define ONEDGE_INSTANTIATE(Real, Space) template class ShardedVectors<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
