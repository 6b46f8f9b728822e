// Operations that choose: linear once the choice is made, and plane 0 (or an integer) makes it.
#include <onedge/core/error.hpp>
#include <onedge/network/select.hpp>

#include <cmath>

namespace onedge::network {

namespace {

template <class Real, class Space>
class Embedding : public Operation<Real, Space> {
 public:
  Embedding(Integers const& tokens, Parameter table)
      : Operation<Real, Space>("embedding", {}, {tokens.length, table.shape[1]}, 1), m_table(std::move(table)) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      look_up(pass.space(), pass.tokens(), pass.parameter_matrix(m_table, order, column),
              pass.rows(this->output(), order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    if (!pass.wants_parameter_adjoints(order)) return;
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      scatter(pass.space(), pass.tokens(), pass.adjoint_rows(this->output(), order, column),
              pass.parameter_adjoint_matrix(m_table, order, column));
    }
  }

  static void look_up(Space const& space, VectorWindow<std::int32_t const, Space> tokens,
                      MatrixWindow<Real const, Space> table, MatrixWindow<Real, Space> y) {
    std::size_t const width = y.extent(1);
    Kokkos::parallel_for(
        "onedge::Embedding::look_up", range(space, y.size()), KOKKOS_LAMBDA(std::size_t index) {
          std::size_t const t = index / width, j = index % width;
          y(t, j) = table(tokens(t), j);
        });
  }
  /// A feature's contributions are added in the order of the tokens: no atomics, the same bits every time.
  static void scatter(Space const& space, VectorWindow<std::int32_t const, Space> tokens,
                      MatrixWindow<Real const, Space> y_bar, MatrixWindow<Real, Space> table_bar) {
    Kokkos::parallel_for(
        "onedge::Embedding::scatter", range(space, y_bar.extent(1)), KOKKOS_LAMBDA(std::size_t j) {
          for (std::size_t t = 0; t < y_bar.extent(0); ++t) table_bar(tokens(t), j) += y_bar(t, j);
        });
  }

 private:
  Parameter m_table;
};

template <class Real, class Space>
class MaxSelect : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;

  MaxSelect(Value const& x, std::size_t group)
      : Operation<Real, Space>("max_select", {x}, grouped(x.shape, group), x.degree), m_group(group) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      take(pass.space(), pass.plane(this->input(), 0), pass.plane(this->input(), order, column), m_group,
           pass.plane(this->output(), order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    bool const adds = pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      give(pass.space(), pass.plane(x, 0), pass.adjoint(this->output(), order, column), m_group, adds,
           pass.adjoint(x, order, column));
    }
  }

  KOKKOS_INLINE_FUNCTION static std::size_t winner(Real const* values, std::size_t group) {
    std::size_t best = 0;
    for (std::size_t j = 1; j < group; ++j) {
      // A NaN wins, so that it is noticed.
      if (values[j] > values[best] || std::isnan(values[j])) best = j;
    }
    return best;
  }
  static void take(Space const& space, Window decides, Window x, std::size_t group, MatrixWindow<Real, Space> y) {
    Kokkos::parallel_for(
        "onedge::MaxSelect::take", range(space, y.size()), KOKKOS_LAMBDA(std::size_t i) {
          y.data()[i] = x.data()[i * group + winner(decides.data() + i * group, group)];
        });
  }
  static void give(Space const& space, Window decides, Window y_bar, std::size_t group, bool adds,
                   MatrixWindow<Real, Space> x_bar) {
    Kokkos::parallel_for(
        "onedge::MaxSelect::give", range(space, y_bar.size()), KOKKOS_LAMBDA(std::size_t i) {
          std::size_t const chosen = winner(decides.data() + i * group, group);
          for (std::size_t j = 0; j < group; ++j) {
            Real& target = x_bar.data()[i * group + j];
            target = (adds ? target : Real(0)) + (j == chosen ? y_bar.data()[i] : Real(0));
          }
        });
  }

 private:
  static Shape grouped(Shape shape, std::size_t group) {
    require(group > 0 && shape.back() % group == 0, "max_select: ", shape.back(), " entries in groups of ", group);
    shape.back() /= group;
    return shape;
  }

  std::size_t m_group;
};

}  // namespace

template <class Real, class Space>
Value embedding(Network<Real, Space>& network, Integers const& tokens, std::string const& name, std::size_t vocabulary,
                std::size_t width, Initializer initializer) {
  return network.apply(std::make_unique<Embedding<Real, Space>>(
      tokens, network.parameter(name + "/embedding", {vocabulary, width}, initializer)));
}

template <class Real, class Space>
Value max_select(Network<Real, Space>& network, Value const& x, std::size_t group) {
  return network.apply(std::make_unique<MaxSelect<Real, Space>>(x, group));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                          \
  template Value embedding(Network<Real, Space>&, Integers const&, std::string const&, std::size_t, std::size_t, \
                           Initializer);                                                                         \
  template Value max_select(Network<Real, Space>&, Value const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
