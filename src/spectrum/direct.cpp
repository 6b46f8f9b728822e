#include "direct.hpp"

#include <algorithm>
#include <cmath>

namespace onedge::spectrum {

using Kind = VectorTask::Kind;

// Operations on vectors: far more than any solver makes with up to eight vectors at once.
constexpr std::int64_t between_products = 1000;

template <class Real, class Space>
DirectedOperator<Real, Space>::DirectedOperator(Operator<Real, Space> const& a, std::function<bool()> stop,
                                                VectorPool<Real, Space>& pool)
    : m_base(a), m_stop(std::move(stop)), m_pool(pool) {
  m_pool.set_directed(true);
  m_pool.allow(between_products);
}

template <class Real, class Space>
DirectedOperator<Real, Space>::~DirectedOperator() {
  if (m_pool.layout().communicator().rank() == 0) m_pool.announce({});
  m_pool.set_directed(false);
  m_pool.allow(VectorPool<Real, Space>::any_number);
}

template <class Real, class Space>
bool DirectedOperator<Real, Space>::apply_together(Vectors const& x, Vectors& y) const {
  m_pool.set_directed(false);
  bool const stops = m_stop && m_stop();
  if (!stops) m_base.apply(x, y);
  m_pool.set_directed(true);
  return !stops;
}

template <class Real, class Space>
void DirectedOperator<Real, Space>::apply(Vectors const& x, Vectors& y) const {
  m_pool.announce({Kind::apply, y.numbers(), x.numbers(), {}, {}});
  if (!apply_together(x, y)) throw Stopped();
  if (m_products == 0) {
    auto const before = x.norms(), after = y.norms();
    for (std::size_t j = 0; j < after.size(); ++j) {
      double const growth = after[j] / before[j];
      if (std::isfinite(growth)) m_norm = std::max(m_norm, growth);
    }
  }
  m_products += x.columns();
  m_pool.allow(between_products * (1 + x.columns() / 8));
}

template <class Real, class Space>
void DirectedOperator<Real, Space>::serve(std::shared_ptr<VectorPool<Real, Space>> const& pool) const {
  for (auto task = pool->await(); task.kind != Kind::end; task = pool->await()) {
    if (task.kind == Kind::apply) {
      Vectors y(pool, task.target);
      apply_together(Vectors(pool, task.a), y);
    } else {
      pool->perform(task);
    }
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class DirectedOperator<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
