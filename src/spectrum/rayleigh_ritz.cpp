#include <optional>

#include "solution.hpp"

namespace onedge::spectrum {

namespace {

template <class Real, class Space>
class RayleighRitz {
 public:
  using Vectors = ShardedVectors<Real, Space>;

  RayleighRitz(DirectedOperator<Real, Space> const& a, Vectors const& initial, int count, SolverOptions const& options)
      : m_operator(a),
        m_length(static_cast<std::int64_t>(initial.layout().length())),
        m_count(count),
        m_options(options),
        m_accuracy{options.tolerance},
        m_room(room(m_length, count, options.width(count))),
        m_basis(initial.pool(), m_room),
        m_products(initial.pool(), m_room),
        m_projected(static_cast<std::size_t>(m_room) * static_cast<std::size_t>(m_room)) {}

  Solution<Real, Space> solve(Vectors const& initial);

 private:
  /// All dimensions where they are few, or where a Krylov space would fill them, too.
  static int room(std::int64_t length, int count, int width) {
    constexpr int few = 512;
    bool const is_small = length <= std::max(few, krylov_blocks(count, width) * width);
    return static_cast<int>(is_small ? length : std::min<std::int64_t>(length, ritz_columns(count, width)));
  }
  std::int64_t affordable() const { return m_options.maximum_products - m_operator.products(); }
  /// Takes as many of the candidates into the basis as there are products for.
  void extend(Vectors const& candidates);
  /// Makes the column at `place` a unit vector that is orthogonal to all before it, another one where it depends on
  /// them. False when there is none.
  bool orthogonalise(int place);
  bool remove_components(int place);
  /// Fills in the products of the basis' columns from `first` on, and the projected matrix.
  void project(int first);
  void extract();
  void restart();
  /// What the basis is to grow by: the residuals that are too large, or random vectors; nothing at the end.
  std::optional<Vectors> candidates();
  Vectors random(int columns);
  double& projected(int i, int j) {
    return m_projected[static_cast<std::size_t>(i) * static_cast<std::size_t>(m_room) + static_cast<std::size_t>(j)];
  }

  DirectedOperator<Real, Space> const& m_operator;
  std::int64_t m_length;
  int m_count;
  SolverOptions m_options;
  Accuracy<Real> m_accuracy;
  int m_room;                       // most columns
  Vectors m_basis, m_products;      // V, AV
  std::vector<double> m_projected;  // VᵀAV, in rows of m_room
  int m_size = 0;                   // columns in use
  Eigenbasis m_ritz;
  std::optional<Vectors> m_vectors, m_residual_vectors;  // of the wanted pairs
  std::vector<double> m_residuals;
  double m_norm = 0;
};

template <class Real, class Space>
ShardedVectors<Real, Space> RayleighRitz<Real, Space>::random(int columns) {
  Vectors result(m_basis.pool(), columns);
  result.randomise_signs(1, m_basis.pool()->next_draw());
  return result;
}

template <class Real, class Space>
bool RayleighRitz<Real, Space>::remove_components(int place) {
  // What is smaller than this, of a unit vector, is what rounding has left of components.
  constexpr double negligible = 100 * Accuracy<Real>::epsilon;
  auto column = m_basis.range(place, 1);
  double norm = column.norms()[0];
  if (!(norm > 0)) return false;
  checked({norm});
  column.scale({1 / norm});
  if (place == 0) return true;
  auto const before = m_basis.range(0, place);
  for (int sweep = 0; sweep < 3; ++sweep) {  // twice is enough, unless the first left little
    auto const components = checked(column.inner_products(before));
    column.multiply_add(-1, before, components, 1);
    norm = column.norms()[0];
    if (!(norm > (sweep == 0 ? negligible : 0.5))) return false;
    column.scale({1 / norm});
  }
  return true;
}

template <class Real, class Space>
bool RayleighRitz<Real, Space>::orthogonalise(int place) {
  constexpr int attempts = 5;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (remove_components(place)) return true;
    m_basis.range(place, 1).copy(random(1));
  }
  return false;
}

template <class Real, class Space>
void RayleighRitz<Real, Space>::extend(Vectors const& candidates) {
  int const first = m_size;
  for (int c = 0; c < candidates.columns() && m_size < m_room && m_size - first < affordable(); ++c) {
    m_basis.range(m_size, 1).copy(candidates.range(c, 1));
    if (!orthogonalise(m_size)) break;
    ++m_size;
  }
  if (m_size > first) project(first);
}

template <class Real, class Space>
void RayleighRitz<Real, Space>::project(int first) {
  int const added = m_size - first;
  auto products = m_products.range(first, added);
  m_operator.apply(m_basis.range(first, added), products);
  auto const entries = checked(products.inner_products(m_basis.range(0, m_size)));
  for (int i = 0; i < m_size; ++i) {
    for (int j = 0; j < added; ++j) {
      projected(i, first + j) = entries[static_cast<std::size_t>(i * added + j)];
      if (i < first) projected(first + j, i) = projected(i, first + j);
    }
  }
}

template <class Real, class Space>
void RayleighRitz<Real, Space>::extract() {
  std::vector<double> matrix;
  for (int i = 0; i < m_size; ++i)
    for (int j = 0; j < m_size; ++j) matrix.push_back(projected(i, j));
  m_ritz = eigenbasis(matrix, m_size);
  m_norm = std::max({m_norm, m_operator.norm(), std::abs(m_ritz.values.front()), std::abs(m_ritz.values.back())});
  int const known = std::min(m_count, m_size);
  auto const coefficients = m_ritz.first(known);
  if (!m_vectors || m_vectors->columns() != known) {
    m_vectors.emplace(m_basis.pool(), known);
    m_residual_vectors.emplace(m_basis.pool(), known);
  }
  m_vectors->multiply_add(1, m_basis.range(0, m_size), coefficients, 0);
  m_residual_vectors->multiply_add(1, m_products.range(0, m_size), coefficients, 0);
  auto scaled = m_vectors->clone();
  scaled.scale({m_ritz.values.begin(), m_ritz.values.begin() + known});
  m_residual_vectors->combine(1, *m_residual_vectors, -1, scaled);
  m_residuals = checked(m_residual_vectors->norms());
}

// The best Ritz vectors are the new basis.
template <class Real, class Space>
void RayleighRitz<Real, Space>::restart() {
  int const kept = std::min(m_size, std::max(m_room / 2, m_count + m_options.width(m_count)));
  auto const coefficients = m_ritz.first(kept);
  for (Vectors* vectors : {&m_basis, &m_products}) {
    Vectors best(vectors->pool(), kept);
    best.multiply_add(1, vectors->range(0, m_size), coefficients, 0);
    vectors->range(0, kept).copy(best);
  }
  for (int i = 0; i < kept; ++i)
    for (int j = 0; j < kept; ++j) projected(i, j) = i == j ? m_ritz.values[static_cast<std::size_t>(i)] : 0;
  m_size = kept;
}

template <class Real, class Space>
std::optional<ShardedVectors<Real, Space>> RayleighRitz<Real, Space>::candidates() {
  if (affordable() < 1 || m_size == m_length) return {};
  std::vector<int> missed;
  int const width = m_options.width(m_count);
  for (int i = 0; i < m_vectors->columns() && static_cast<int>(missed.size()) < width; ++i) {
    auto const at = static_cast<std::size_t>(i);
    if (!m_accuracy.meets(m_residuals[at], m_ritz.values[at], m_norm)) missed.push_back(i);
  }
  if (!missed.empty()) return m_residual_vectors->select(missed);
  // Narrow blocks miss copies of multiple eigenvalues; where a Krylov space would fill all dimensions, so does this.
  bool const fills = width < m_count && m_length <= krylov_blocks(m_count, width) * width;
  int const wanted = fills ? static_cast<int>(m_length) : m_count;
  if (m_size >= wanted) return {};
  return random(std::min(width, wanted - m_size));
}

template <class Real, class Space>
Solution<Real, Space> RayleighRitz<Real, Space>::solve(Vectors const& initial) {
  bool stopped = false;
  try {
    std::optional<Vectors> next = initial;
    while (next) {
      int const before = m_size;
      if (m_size + next->columns() > m_room && m_room < m_length) restart();
      extend(*next);
      if (m_size == 0 || (m_size == before && m_vectors)) break;  // no other direction is left
      extract();
      next = candidates();
    }
  } catch (Stopped const&) {
    stopped = true;
  }
  if (!m_vectors) return {{}, {}, 0, Vectors(initial.pool(), 0), "rayleigh_ritz", stopped};
  std::vector<double> const values(m_ritz.values.begin(), m_ritz.values.begin() + m_vectors->columns());
  return {values, m_residuals, m_norm, *m_vectors, "rayleigh_ritz", stopped};
}

}  // namespace

template <class Real, class Space>
Solution<Real, Space> rayleigh_ritz(DirectedOperator<Real, Space> const& a, ShardedVectors<Real, Space> const& initial,
                                    int count, SolverOptions const& options) {
  return RayleighRitz<Real, Space>(a, initial, count, options).solve(initial);
}

#define ONEDGE_INSTANTIATE(Real, Space)                      \
  template Solution<Real, Space> rayleigh_ritz<Real, Space>( \
      DirectedOperator<Real, Space> const&, ShardedVectors<Real, Space> const&, int, SolverOptions const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
