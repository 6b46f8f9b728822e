#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/network/dense.hpp>

#include "parameter_product.hpp"

namespace onedge::network {

namespace {

using linalg::Transpose;

/// y = x W for each row of the last axis.
template <class Real, class Space>
class Dense : public ParameterProduct<Real, Space> {
 public:
  using Base = ParameterProduct<Real, Space>;
  using typename Base::Constant, typename Base::ConstantKernel, typename Base::Kernel, typename Base::Window;

  Dense(Value const& x, Parameter const& kernel)
      : Base("dense", x, output_shape(x, kernel), kernel), m_in(x.width()), m_out(kernel.size() / x.width()) {}

 protected:
  void multiply(Pass<Real, Space> const& pass, Constant x, ConstantKernel w, bool adds, Window y) const override {
    product(pass, Transpose::no, rows(x, m_in), Transpose::no, Constant(w.data(), m_in, m_out), adds, rows(y, m_out));
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, ConstantKernel w, bool adds,
                 Window x_bar) const override {
    product(pass, Transpose::no, rows(y_bar, m_out), Transpose::yes, Constant(w.data(), m_in, m_out), adds,
            rows(x_bar, m_in));
  }
  void collect(Pass<Real, Space> const& pass, Constant x, Constant y_bar, Kernel w_bar) const override {
    product(pass, Transpose::yes, rows(x, m_in), Transpose::no, rows(y_bar, m_out), true,
            Window(w_bar.data(), m_in, m_out));
  }

 private:
  static Shape output_shape(Value const& x, Parameter const& kernel) {
    require(kernel.size() % x.width() == 0, "dense: a kernel of ", kernel.size(), " entries for a width of ",
            x.width());
    Shape shape = x.shape;
    shape.back() = kernel.size() / x.width();
    return shape;
  }
  template <class T>
  static MatrixWindow<T, Space> rows(MatrixWindow<T, Space> const& plane, std::size_t width) {
    return MatrixWindow<T, Space>(plane.data(), plane.size() / width, width);
  }
  static void product(Pass<Real, Space> const& pass, Transpose transpose_a, Constant a, Transpose transpose_b,
                      Constant b, bool adds, Window result) {
    linalg::matmul<Real>(pass.space(), transpose_a, transpose_b, Real(1), a, b, adds ? 1 : 0, result);
  }

  std::size_t m_in, m_out;
};

}  // namespace

template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
            Initializer initializer) {
  return dense(network, x, network.parameter(name + "/kernel", {x.width(), out}, initializer));
}

template <class Real, class Space>
Value dense(Network<Real, Space>& network, Value const& x, Parameter const& kernel) {
  return network.apply(std::make_unique<Dense<Real, Space>>(x, kernel));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                    \
  template Value dense(Network<Real, Space>&, Value const&, std::string const&, std::size_t, Initializer); \
  template Value dense(Network<Real, Space>&, Value const&, Parameter const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
