#include <onedge/core/error.hpp>
#include <onedge/optimizer/gradient_descent.hpp>

namespace onedge::optimizer {

template <class Real, class Space>
void GradientDescent<Real, Space>::update(Space const& space, VectorWindow<Real const, Space> gradient,
                                          VectorWindow<Real, Space> update) {
  require(gradient.extent(0) == update.extent(0), "gradient has ", gradient.extent(0), " values, update ",
          update.extent(0));
  Kokkos::parallel_for(
      "onedge::GradientDescent::update", range(space, update.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { update(i) = -gradient(i); });
}

#define ONEDGE_INSTANTIATE(Real, Space) template class GradientDescent<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::optimizer
