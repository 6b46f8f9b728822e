#include <onedge/network/activation.hpp>

namespace onedge::network {

namespace {

template <class Real, class Space>
class Relu : public Operation<Real, Space> {
 public:
  using Window = MatrixWindow<Real const, Space>;

  explicit Relu(Value const& x) : Operation<Real, Space>("relu", {x}, x.shape, x.degree) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    Value const& y = this->output();
    if (order == 0) return clip(pass.space(), pass.plane(x, 0), pass.plane(y, 0));
    for (int column = 0; column < pass.columns(); ++column) {
      select(pass.space(), pass.plane(y, 0), pass.plane(x, order, column), false, pass.plane(y, order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    if (x.degree == 0) return;
    bool const adds = pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      select(pass.space(), pass.plane(this->output(), 0), pass.adjoint(this->output(), order, column), adds,
             pass.adjoint(x, order, column));
    }
  }

  bool in_place() const override { return true; }
  bool reads_output() const override { return true; }

  static void clip(Space const& space, Window x, MatrixWindow<Real, Space> y) {
    Real const* const source = x.data();
    Real* const target = y.data();
    Kokkos::parallel_for(
        "onedge::Relu::forward", range(space, y.size()),
        KOKKOS_LAMBDA(std::size_t i) { target[i] = source[i] < Real(0) ? Real(0) : source[i]; });
  }

  /// result ← [result +] x where y > 0, else 0. x is read before the condition: compilers then vectorise.
  static void select(Space const& space, Window y, Window x, bool adds, MatrixWindow<Real, Space> result) {
    Real const* const decides = y.data();
    Real const* const source = x.data();
    Real* const target = result.data();
    if (adds) {
      Kokkos::parallel_for(
          "onedge::Relu::add", range(space, y.size()), KOKKOS_LAMBDA(std::size_t i) {
            Real const value = source[i];
            target[i] += decides[i] > Real(0) ? value : Real(0);
          });
    } else {
      Kokkos::parallel_for(
          "onedge::Relu::select", range(space, y.size()), KOKKOS_LAMBDA(std::size_t i) {
            Real const value = source[i];
            target[i] = decides[i] > Real(0) ? value : Real(0);
          });
    }
  }
};

}  // namespace

template <class Real, class Space>
Value relu(Network<Real, Space>& network, Value const& x) {
  return network.apply(std::make_unique<Relu<Real, Space>>(x));
}

#define ONEDGE_INSTANTIATE(Real, Space) template Value relu(Network<Real, Space>&, Value const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
