#pragma once
#include <onedge/network/workspace.hpp>

#include <cstdint>

namespace onedge::network {

/// The vectors and inputs that a pass over a tile of samples reads and adds to. P parameters, b directions.
template <class Real, class Space>
struct Bindings {
  VectorWindow<Real const, Space> parameters;      // w [P]
  MatrixWindow<Real const, Space> directions;      // v_c [b, P]
  VectorWindow<Real, Space> gradient;              // parameter adjoints of order 0 [P]; empty: not wanted
  MatrixWindow<Real, Space> products;              // parameter adjoints of order 1 [b, P]
  VectorWindow<std::int32_t const, Space> labels;  // of the tile [samples · rows per sample]
  VectorWindow<std::int32_t const, Space> tokens;  // of the tile [samples · length]
  double weight = 1;                               // of one row of the loss in the mean: 1/(N · rows per sample)
};

/// What an operation sees: a tile of samples in a workspace, and the vectors of the pass.
template <class Real, class Space>
class Pass {
 public:
  Pass(Space const& space, Workspace<Real, Space>& workspace, Bindings<Real, Space> const& bindings, std::size_t first,
       std::size_t samples)
      : m_space(space), m_workspace(workspace), m_bindings(bindings), m_first(first), m_samples(samples) {}

  Space const& space() const { return m_space; }
  std::size_t samples() const { return m_samples; }
  /// Number of directions.
  int columns() const { return static_cast<int>(m_bindings.directions.extent(0)); }

  /// Coefficient `order` of a value: [samples, size].
  MatrixWindow<Real, Space> plane(Value const& value, int order, int column = 0) const {
    return m_workspace.plane(value, order, column, m_first, m_samples);
  }
  /// The same, one row of the last extent at a time: [samples · size / width, width].
  MatrixWindow<Real, Space> rows(Value const& value, int order, int column = 0) const {
    return by_rows(plane(value, order, column), value);
  }
  MatrixWindow<Real, Space> adjoint(Value const& value, int order, int column = 0) const {
    return m_workspace.adjoint(value, order, column, m_first, m_samples);
  }
  MatrixWindow<Real, Space> adjoint_rows(Value const& value, int order, int column = 0) const {
    return by_rows(adjoint(value, order, column), value);
  }
  /// Whether to add to the adjoints of a value (true) or to set them (false: nothing was written yet in this pass).
  /// Holds for all columns; ask once for each use of the value.
  bool adds(Value const& value) const { return m_workspace.mark_written(value); }

  /// Adjoint plane 0 counts as zero: the Gauss-Newton product leaves out what multiplies it.
  bool gauss_newton() const { return m_gauss_newton; }
  void set_gauss_newton(bool value) { m_gauss_newton = value; }

  /// w (order 0) or direction v_c (order 1) of a tensor.
  VectorWindow<Real const, Space> parameter(Parameter const& tensor, int order, int column = 0) const {
    Real const* const base = order == 0 ? m_bindings.parameters.data()
                                        : m_bindings.directions.data() + column * m_bindings.directions.extent(1);
    return VectorWindow<Real const, Space>(base + tensor.offset, tensor.size());
  }
  MatrixWindow<Real const, Space> parameter_matrix(Parameter const& tensor, int order, int column = 0) const {
    return MatrixWindow<Real const, Space>(parameter(tensor, order, column).data(), tensor.shape.front(),
                                           tensor.size() / tensor.shape.front());
  }
  /// Whether parameter adjoints of an order are wanted; then where to add them.
  bool wants_parameter_adjoints(int order) const { return order == 1 || m_bindings.gradient.extent(0) > 0; }
  VectorWindow<Real, Space> parameter_adjoint(Parameter const& tensor, int order, int column = 0) const {
    Real* const base =
        order == 0 ? m_bindings.gradient.data() : m_bindings.products.data() + column * m_bindings.products.extent(1);
    return VectorWindow<Real, Space>(base + tensor.offset, tensor.size());
  }
  MatrixWindow<Real, Space> parameter_adjoint_matrix(Parameter const& tensor, int order, int column = 0) const {
    return MatrixWindow<Real, Space>(parameter_adjoint(tensor, order, column).data(), tensor.shape.front(),
                                     tensor.size() / tensor.shape.front());
  }

  VectorWindow<std::int32_t const, Space> labels() const { return m_bindings.labels; }
  VectorWindow<std::int32_t const, Space> tokens() const { return m_bindings.tokens; }
  double weight() const { return m_bindings.weight; }

  MatrixWindow<Real, Space> scratch(std::size_t rows, std::size_t columns) const {
    return m_workspace.scratch(rows, columns);
  }
  /// Where an operation puts one of its contributions to a column's scalar (loss, slope, curvature).
  Kokkos::View<double, typename Space::memory_space> term(int column = 0) const { return m_workspace.term(column); }
  Workspace<Real, Space>& workspace() const { return m_workspace; }

 private:
  static MatrixWindow<Real, Space> by_rows(MatrixWindow<Real, Space> const& plane, Value const& value) {
    return MatrixWindow<Real, Space>(plane.data(), plane.extent(0) * (value.size() / value.width()), value.width());
  }

  Space m_space;
  Workspace<Real, Space>& m_workspace;
  Bindings<Real, Space> m_bindings;
  std::size_t m_first;
  std::size_t m_samples;
  bool m_gauss_newton = false;
};

}  // namespace onedge::network
