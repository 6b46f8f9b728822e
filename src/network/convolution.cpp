#include <onedge/core/error.hpp>
#include <onedge/network/convolution.hpp>
#include <onedge/network/dense.hpp>

#include "parameter_product.hpp"

namespace onedge::network {

linalg::SlidingWindow window_on(Value const& x, Sliding const& sliding) {
  require(x.shape.size() == 3, "an image has the shape [height, width, channels], not ", x.shape.size(), " extents");
  for (std::size_t axis = 0; axis < 2; ++axis) {
    require(sliding.size[axis] > 0 && sliding.stride[axis] > 0 &&
                x.shape[axis] + 2 * sliding.padding[axis] >= sliding.size[axis],
            "a window of ", sliding.size[axis], " does not fit on ", x.shape[axis], " pixels");
  }
  return {{x.shape[0], x.shape[1]}, sliding.size, sliding.stride, sliding.padding};
}

namespace {

template <class Real, class Space>
class Convolution : public ParameterProduct<Real, Space> {
 public:
  using Base = ParameterProduct<Real, Space>;
  using typename Base::Constant, typename Base::ConstantKernel, typename Base::Kernel, typename Base::Window;

  Convolution(Value const& x, linalg::SlidingWindow const& window, Parameter const& kernel)
      : Base("convolution", x, {window.positions(0), window.positions(1), kernel.shape.back()}, kernel),
        m_maps(window, x.width(), kernel.shape.back()) {}

 protected:
  void multiply(Pass<Real, Space> const& pass, Constant x, ConstantKernel w, bool adds, Window y) const override {
    m_maps.forward(pass.space(), x, w, adds, y, work_of(pass));
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, ConstantKernel w, bool adds,
                 Window x_bar) const override {
    m_maps.backward_data(pass.space(), y_bar, w, adds, x_bar, work_of(pass));
  }
  void collect(Pass<Real, Space> const& pass, Constant x, Constant y_bar, Kernel w_bar) const override {
    m_maps.backward_weights(pass.space(), x, y_bar, w_bar, work_of(pass));
  }
  std::size_t work(std::size_t samples) const override { return m_maps.work(samples); }

 private:
  Kernel work_of(Pass<Real, Space> const& pass) const {
    std::size_t const size = work(pass.samples());
    return Kernel(pass.scratch(1, size).data(), size);
  }

  linalg::Convolution<Real, Space> m_maps;
};

}  // namespace

template <class Real, class Space>
Value convolution(Network<Real, Space>& network, Value const& x, std::string const& name, std::size_t out,
                  Sliding const& sliding, Initializer initializer) {
  auto const window = window_on(x, sliding);
  auto const kernel =
      network.parameter(name + "/kernel", {sliding.size[0], sliding.size[1], x.width(), out}, initializer);
  bool const pointwise = window.area() == 1 && window.positions() == window.pixels();
  if (pointwise) return dense(network, x, kernel);
  return network.apply(std::make_unique<Convolution<Real, Space>>(x, window, kernel));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                            \
  template Value convolution(Network<Real, Space>&, Value const&, std::string const&, std::size_t, Sliding const&, \
                             Initializer);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
