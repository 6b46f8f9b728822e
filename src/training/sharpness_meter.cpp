#include <onedge/core/error.hpp>
#include <onedge/training/sharpness_meter.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace onedge::training {

namespace {

using std::sqrt;

template <class Real, class Space>
struct InverseRoot {
  VectorWindow<Real const, Space> values;
  VectorWindow<Real, Space> result;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const { result(i) = Real(1) / sqrt(values(i)); }
};

template <class Real, class Space>
struct Quotient {
  VectorWindow<Real, Space> values, divisors;
  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i) const { values(i) /= divisors(i); }
};

std::string vector_name(int index) { return concat("eigenvector_", index); }

}  // namespace

std::string table_name(spectrum::OperatorKind kind) {
  switch (kind) {
    case spectrum::OperatorKind::hessian:
      return "sharpness";
    case spectrum::OperatorKind::preconditioned_hessian:
      return "preconditioned_sharpness";
    case spectrum::OperatorKind::gauss_newton:
      return "gauss_newton_sharpness";
    case spectrum::OperatorKind::negative_hessian:
      return "lowest_curvature";
  }
  throw Error("unknown operator");
}

template <class Real, class Space>
SharpnessMeter<Real, Space>::SharpnessMeter(objective::Objective<Real, Space>& objective,
                                            optimizer::Optimizer<Real, Space> const& optimizer,
                                            std::shared_ptr<Pool> pool, spectrum::OperatorKind kind,
                                            spectrum::EigenTracker<Real, Space> tracker,
                                            std::optional<Tracking> tracking)
    : m_objective(objective),
      m_optimizer(optimizer),
      m_pool(std::move(pool)),
      m_kind(kind),
      m_tracker(std::move(tracker)),
      m_tracking(tracking),
      m_curvature(objective, m_pool->layout(), kind == spectrum::OperatorKind::gauss_newton) {}

template <class Real, class Space>
spectrum::ShardedVectors<Real, Space> SharpnessMeter<Real, Space>::slice_of(Constant whole) const {
  Vectors result(m_pool, 1);
  auto const& layout = m_pool->layout();
  Kokkos::deep_copy(Space(), result.column(0), Constant(whole.data() + layout.first(), layout.local()));
  return result;
}

template <class Real, class Space>
void SharpnessMeter<Real, Space>::update_diagonal() {
  if (m_kind != spectrum::OperatorKind::preconditioned_hessian) return;
  if (!m_diagonal) {
    m_diagonal.emplace(m_pool, 1);
    m_preconditioner =
        uninitialised<Vector<Real, Space>>("onedge::SharpnessMeter::preconditioner", m_pool->layout().length());
  }
  m_optimizer.preconditioner(Space(), m_preconditioner);
  auto const& layout = m_pool->layout();
  Kokkos::parallel_for("onedge::SharpnessMeter::inverse_root", range(Space(), layout.local()),
                       InverseRoot<Real, Space>{Constant(m_preconditioner.data() + layout.first(), layout.local()),
                                                m_diagonal->column(0)});
}

template <class Real, class Space>
void SharpnessMeter<Real, Space>::with_operator(
    std::function<void(spectrum::Operator<Real, Space> const&)> const& work) {
  update_diagonal();
  switch (m_kind) {
    case spectrum::OperatorKind::preconditioned_hessian:
      return work(spectrum::ScaledOperator<Real, Space>(m_curvature, *m_diagonal));
    case spectrum::OperatorKind::negative_hessian:
      return work(spectrum::NegatedOperator<Real, Space>(m_curvature));
    case spectrum::OperatorKind::hessian:
    case spectrum::OperatorKind::gauss_newton:
      return work(m_curvature);
  }
}

template <class Real, class Space>
Sharpness SharpnessMeter<Real, Space>::measure_once(std::int64_t step, Constant gradient, Constant update) {
  auto const begin = std::chrono::steady_clock::now();
  Sharpness result;
  with_operator([&](spectrum::Operator<Real, Space> const& a) {
    auto hint = slice_of(gradient), direction = slice_of(update);
    if (m_diagonal) {  // coordinates in which the preconditioned Hessian is the Hessian: P^1/2 w
      hint.multiply_elements(*m_diagonal);
      Kokkos::parallel_for("onedge::SharpnessMeter::quotient", range(Space(), direction.column(0).extent(0)),
                           Quotient<Real, Space>{direction.column(0), m_diagonal->column(0)});
    }
    auto const pairs = m_tracker.measure(a, hint, static_cast<std::uint64_t>(step));
    double const size = std::sqrt(direction.dots(direction)[0]);
    bool const has_angle = size > 0 && pairs.vectors.columns() > 0;
    double const overlap = has_angle ? std::abs(direction.dots(pairs.vectors.select({0}))[0]) : 0;
    result = {pairs.values, pairs.residuals, pairs.converged, pairs.products, has_angle ? overlap / size : 0, 0,
              pairs.solver, pairs.stopped};
  });
  if (m_kind == spectrum::OperatorKind::negative_hessian) {
    for (double& value : result.eigenvalues) value = -value;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

template <class Real, class Space>
Sharpness SharpnessMeter<Real, Space>::measure(std::int64_t step, Constant gradient, Constant update,
                                               double learning_rate) {
  auto result = measure_once(step, gradient, update);
  while (m_tracking && !result.stopped && m_tracker.count() < m_tracking->most &&
         result.eigenvalues.back() * learning_rate > m_tracking->above) {
    m_tracker.set_count(m_tracker.count() + 1);
    auto next = measure_once(step, gradient, update);
    next.products += result.products;
    next.seconds += result.seconds;
    result = std::move(next);
  }
  return result;
}

template <class Real, class Space>
std::vector<std::vector<Real>> SharpnessMeter<Real, Space>::eigenvectors() const {
  std::vector<std::vector<Real>> result;
  if (!m_tracker.vectors()) return result;
  auto const& layout = m_pool->layout();
  comm::Slices<Real, Space> slices(Space(), layout.communicator(), layout.counts());
  Matrix<Real, Space> const whole("onedge::SharpnessMeter::eigenvector", 1, layout.length());
  for (int c = 0; c < m_tracker.vectors()->columns(); ++c) {
    slices.all_gather({m_tracker.vectors()->column(c)}, whole);
    result.emplace_back(layout.length());
    Kokkos::deep_copy(VectorWindow<Real, HostSpace>(result.back().data(), layout.length()),
                      VectorWindow<Real, Space>(whole.data(), layout.length()));
  }
  return result;
}

template <class Real, class Space>
io::State SharpnessMeter<Real, Space>::state() const {
  io::State state;
  state.numbers["count"] = m_tracker.count();
  auto vectors = eigenvectors();
  for (std::size_t c = 0; c < vectors.size(); ++c) {
    state.vectors[vector_name(static_cast<int>(c))] = std::move(vectors[c]);
  }
  return state;
}

template <class Real, class Space>
void SharpnessMeter<Real, Space>::restore(io::State const& state) {
  if (m_tracking) {
    int const count = static_cast<int>(state.numbers.at("count"));
    m_tracker.set_count(std::clamp(count, m_tracker.count(), std::max(m_tracker.count(), m_tracking->most)));
  }
  int const saved = static_cast<int>(state.vectors.size());
  if (saved == 0) return;
  auto const& layout = m_pool->layout();
  Vectors vectors(m_pool, saved);
  for (int c = 0; c < saved; ++c) {
    auto const values = io::converted<Real>(state.vectors.at(vector_name(c)));
    require(values.size() == layout.length(), "an eigenvector of the checkpoint has ", values.size(), " entries");
    VectorWindow<Real const, HostSpace> const slice_host(values.data() + layout.first(), layout.local());
    Kokkos::deep_copy(vectors.column(c), slice_host);
  }
  m_tracker.set_vectors(vectors);
}

#define ONEDGE_INSTANTIATE(Real, Space) template class SharpnessMeter<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::training
