#pragma once
#include <onedge/core/kokkos.hpp>
#include <onedge/network/planner.hpp>
#include <onedge/network/value.hpp>

#include <array>
#include <vector>

namespace onedge::network {

template <class Real, class Space>
class Network;

/// The passes that a workspace must be able to hold, beyond loss and gradient.
struct Demand {
  int curvatures = 0;               // directions of forward 1 with contraction; keeps adjoint plane 0
  bool forward_curvatures = false;  // forward 2 as well
  int products = 0;                 // directions of Hessian-vector products; keeps adjoint plane 0 and plane 1

  int columns() const { return curvatures > products ? curvatures : products; }
  bool covers(Demand const& other) const;
  Demand joined(Demand const& other) const;
};

/// Memory for planes k and adjoint planes k of every value of a network, for up to `samples` samples. Arrays are
/// [column][sample][feature]; values that are computed in place share their input's memory, and arrays that a pass no
/// longer needs make room for later ones.
template <class Real, class Space>
class Workspace {
 public:
  Workspace(Network<Real, Space> const& network, std::size_t samples);

  /// Makes room for these passes as well; contents survive only in arrays that need not move (plane 0 always does).
  void reserve(Demand const& demand);
  Demand const& demand() const { return m_demand; }
  std::size_t samples() const { return m_samples; }

  /// Coefficient `order` of a value for samples [first, first + count): [count, size]. Order 0 has one column, whatever
  /// is asked. Throws Error when no such array was reserved.
  MatrixWindow<Real, Space> plane(Value const& value, int order, int column, std::size_t first,
                                  std::size_t count) const;
  MatrixWindow<Real, Space> adjoint(Value const& value, int order, int column, std::size_t first,
                                    std::size_t count) const;
  /// Memory without meaning between two operations: [rows, columns].
  MatrixWindow<Real, Space> scratch(std::size_t rows, std::size_t columns) const;

  /// A scalar in the memory of Space, that belongs to a column; collect() adds them up on the host and forgets them.
  Kokkos::View<double, typename Space::memory_space> term(int column);
  std::vector<double> collect_terms(int columns);

  /// Whether the value's adjoint has contributions in this reverse pass; marks it as having some.
  bool mark_written(Value const& value);
  void forget_written();

  /// Bytes that a workspace takes.
  static std::size_t bytes(Network<Real, Space> const& network, std::size_t samples, Demand const& demand);

 private:
  enum Kind { plane_0, plane_1, plane_2, adjoint_0, adjoint_1, kinds };
  struct Store {
    SlotPlan plan;  // sizes per sample and column
    int columns = 0;
    std::vector<Vector<Real, Space>> slots;
  };
  static SlotPlan plan_of(Network<Real, Space> const& network, Kind kind, Demand const& demand);
  static int columns_of(Kind kind, Demand const& demand);
  void allocate(Kind kind, Demand const& demand);
  MatrixWindow<Real, Space> window(Kind kind, Value const& value, int column, std::size_t first,
                                   std::size_t count) const;

  Network<Real, Space> const& m_network;
  std::size_t m_samples;
  Demand m_demand;
  std::array<Store, kinds> m_stores;
  Vector<Real, Space> m_scratch;
  void make_terms(int columns);

  Vector<double, Space> m_terms;
  typename Vector<double, Space>::HostMirror m_terms_host;
  std::vector<int> m_term_columns;
  std::vector<bool> m_written;
};

}  // namespace onedge::network
