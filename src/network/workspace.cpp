#include <onedge/core/error.hpp>
#include <onedge/network/network.hpp>
#include <onedge/network/workspace.hpp>

#include <algorithm>

namespace onedge::network {

bool Demand::covers(Demand const& other) const {
  return curvatures >= other.curvatures && forward_curvatures >= other.forward_curvatures && products >= other.products;
}

Demand Demand::joined(Demand const& other) const {
  return {std::max(curvatures, other.curvatures), forward_curvatures || other.forward_curvatures,
          std::max(products, other.products)};
}

template <class Real, class Space>
int Workspace<Real, Space>::columns_of(Kind kind, Demand const& demand) {
  switch (kind) {
    case plane_1:
      return demand.columns();
    case plane_2:
      return demand.forward_curvatures ? demand.curvatures : 0;
    case adjoint_1:
      return demand.products;
    default:
      return 1;
  }
}

// Time runs with the operations in forward passes and against them in reverse ones.
template <class Real, class Space>
SlotPlan Workspace<Real, Space>::plan_of(Network<Real, Space> const& network, Kind kind, Demand const& demand) {
  int const end = static_cast<int>(network.operations().size());
  bool const reverse = kind == adjoint_0 || kind == adjoint_1;
  bool const keep_adjoints = kind == adjoint_0 && (demand.curvatures > 0 || demand.products > 0);
  bool const keep_all = kind == plane_0 || (kind == plane_1 && demand.products > 0);
  int const lowest_degree = kind == plane_0 ? 0 : kind == plane_2 ? 2 : 1;
  std::vector<Lifetime> arrays(network.values().size());
  for (Value const& value : network.values()) {
    if (network.storage(value.id) != value.id || value.degree < lowest_degree) continue;
    Lifetime& array = arrays[value.id];
    array.size = value.size();
    int const first = network.first_use(value.id);
    int const last = network.last_use(value.id);
    array.first = reverse ? end - last : first;
    array.last = reverse ? end - first : last;
    if (keep_all || (keep_adjoints && network.keeps_adjoint(value.id))) array.first = -2, array.last = end + 2;
  }
  return share_slots(arrays);
}

template <class Real, class Space>
Workspace<Real, Space>::Workspace(Network<Real, Space> const& network, std::size_t samples)
    : m_network(network), m_samples(samples), m_written(network.values().size(), false) {
  allocate(plane_0, m_demand);
  allocate(adjoint_0, m_demand);
  std::size_t scratch = 0;
  for (auto const& operation : network.operations()) scratch = std::max(scratch, operation->scratch(samples));
  m_scratch = uninitialised<Vector<Real, Space>>("onedge::Workspace::scratch", scratch);
  make_terms(1);
}

template <class Real, class Space>
void Workspace<Real, Space>::make_terms(int columns) {
  std::size_t const count = (m_network.operations().size() + 1) * static_cast<std::size_t>(columns);
  m_terms = Vector<double, Space>("onedge::Workspace::terms", count);
  m_terms_host = Kokkos::create_mirror_view(m_terms);
}

template <class Real, class Space>
void Workspace<Real, Space>::allocate(Kind kind, Demand const& demand) {
  Store& store = m_stores[kind];
  store.slots.clear();
  store.columns = columns_of(kind, demand);
  if (store.columns == 0) return;
  store.plan = plan_of(m_network, kind, demand);
  for (std::size_t const size : store.plan.slot_size) {
    store.slots.push_back(
        uninitialised<Vector<Real, Space>>("onedge::Workspace::plane", size * m_samples * store.columns));
  }
}

template <class Real, class Space>
void Workspace<Real, Space>::reserve(Demand const& demand) {
  if (m_demand.covers(demand)) return;
  Demand const now = m_demand.joined(demand);
  for (Kind const kind : {plane_1, plane_2, adjoint_0, adjoint_1}) {
    auto const changes = plan_of(m_network, kind, now).slot != plan_of(m_network, kind, m_demand).slot;
    if (changes || columns_of(kind, now) != columns_of(kind, m_demand)) allocate(kind, now);
  }
  m_demand = now;
  make_terms(std::max(1, now.columns()));
}

template <class Real, class Space>
MatrixWindow<Real, Space> Workspace<Real, Space>::window(Kind kind, Value const& value, int column, std::size_t first,
                                                         std::size_t count) const {
  Store const& store = m_stores[kind];
  int const owner = m_network.storage(value.id);
  require(column < store.columns && store.plan.slot[owner] >= 0 && first + count <= m_samples,
          "the workspace holds no array of kind ", static_cast<int>(kind), ", column ", column, " for value ",
          value.id);
  std::size_t const size = value.size();
  Real* const base = store.slots[store.plan.slot[owner]].data();
  return MatrixWindow<Real, Space>(base + (static_cast<std::size_t>(column) * m_samples + first) * size, count, size);
}

template <class Real, class Space>
MatrixWindow<Real, Space> Workspace<Real, Space>::plane(Value const& value, int order, int column, std::size_t first,
                                                        std::size_t count) const {
  return window(order == 0 ? plane_0 : order == 1 ? plane_1 : plane_2, value, order == 0 ? 0 : column, first, count);
}

template <class Real, class Space>
MatrixWindow<Real, Space> Workspace<Real, Space>::adjoint(Value const& value, int order, int column, std::size_t first,
                                                          std::size_t count) const {
  return window(order == 0 ? adjoint_0 : adjoint_1, value, order == 0 ? 0 : column, first, count);
}

template <class Real, class Space>
MatrixWindow<Real, Space> Workspace<Real, Space>::scratch(std::size_t rows, std::size_t columns) const {
  require(rows * columns <= m_scratch.extent(0), "an operation asks for more scratch than it declared");
  return MatrixWindow<Real, Space>(m_scratch.data(), rows, columns);
}

template <class Real, class Space>
Kokkos::View<double, typename Space::memory_space> Workspace<Real, Space>::term(int column) {
  require(m_term_columns.size() < m_terms.extent(0), "more terms in a pass than operations");
  m_term_columns.push_back(column);
  return Kokkos::subview(m_terms, m_term_columns.size() - 1);
}

template <class Real, class Space>
std::vector<double> Workspace<Real, Space>::collect_terms(int columns) {
  Space().fence();
  Kokkos::deep_copy(m_terms_host, m_terms);
  std::vector<double> sums(columns, 0.0);
  for (std::size_t i = 0; i < m_term_columns.size(); ++i) sums[m_term_columns[i]] += m_terms_host(i);
  m_term_columns.clear();
  return sums;
}

template <class Real, class Space>
bool Workspace<Real, Space>::mark_written(Value const& value) {
  bool const before = m_written[value.id];
  m_written[value.id] = true;
  return before;
}

template <class Real, class Space>
void Workspace<Real, Space>::forget_written() {
  m_written.assign(m_written.size(), false);
}

template <class Real, class Space>
std::size_t Workspace<Real, Space>::bytes(Network<Real, Space> const& network, std::size_t samples,
                                          Demand const& demand) {
  double elements = 0;  // cannot overflow
  for (int kind = 0; kind < kinds; ++kind) {
    int const columns = columns_of(static_cast<Kind>(kind), demand);
    if (columns == 0) continue;
    auto const total = plan_of(network, static_cast<Kind>(kind), demand).total();
    elements += static_cast<double>(total) * static_cast<double>(samples) * columns;
  }
  std::size_t scratch = 0;
  for (auto const& operation : network.operations()) scratch = std::max(scratch, operation->scratch(samples));
  elements += static_cast<double>(scratch);
  return static_cast<std::size_t>(std::min(elements * sizeof(Real), 0x1p60));
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Workspace<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
