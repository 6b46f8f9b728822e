#include <onedge/core/error.hpp>
#include <onedge/optimizer/adam.hpp>
#include <onedge/optimizer/gradient_descent.hpp>
#include <onedge/optimizer/momentum.hpp>
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/optimizer/rmsprop.hpp>

namespace onedge::optimizer {

template <class Real, class Space>
void Optimizer<Real, Space>::preconditioner(Space const& space, VectorWindow<Real, Space> diagonal) const {
  Kokkos::parallel_for(
      "onedge::Optimizer::preconditioner", range(space, diagonal.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { diagonal(i) = Real(1); });
}

template <class Real, class Space>
void Optimizer<Real, Space>::restore_scalars(std::map<std::string, double> const&) {}

namespace {

void bind_momentum(config::Section section, OptimizerConfig& config) {
  section.bind("momentum", config.momentum, "coefficient μ of the momentum m = g + μm",
               config::unit_interval_open_above);
  section.bind("nesterov", config.nesterov, "Nesterov's update −(g + μm) instead of the heavy ball's −m");
}

void bind_rmsprop(config::Section section, OptimizerConfig& config) {
  section.bind("decay", config.decay, "coefficient ρ of the second moment ν = ρν + (1−ρ)g²",
               config::unit_interval_open_above);
  section.bind("eps", config.eps, "added to the second moment inside the root", config::positive);
}

void bind_adam(config::Section section, OptimizerConfig& config) {
  section.bind("beta1", config.beta1, "coefficient β₁ of the first moment", config::unit_interval_open_above);
  section.bind("beta2", config.beta2, "coefficient β₂ of the second moment", config::unit_interval_open_above);
  section.bind("eps", config.eps, "added to the root of the second moment", config::non_negative);
  section.bind("eps_root", config.eps_root, "added to the second moment inside the root", config::non_negative);
  if (config.eps == 0.0 && config.eps_root == 0.0) {
    section.fail("eps", "eps and eps_root are both 0, and a zero gradient would divide by 0; make one positive");
  }
}

}  // namespace

OptimizerConfig OptimizerConfig::bind(config::Section section) {
  OptimizerConfig config;
  section.choose("kind", config.kind, {"gd", "momentum", "rmsprop", "adam"},
                 "base optimizer: from the gradient to the update");
  bool const all = section.documenting();
  if (all || config.kind == "momentum") bind_momentum(section.when("kind: momentum"), config);
  if (all || config.kind == "rmsprop") bind_rmsprop(section.when("kind: rmsprop"), config);
  if (all || config.kind == "adam") bind_adam(section.when("kind: adam"), config);
  return config;
}

template <class Real, class Space>
std::unique_ptr<Optimizer<Real, Space>> make_optimizer(OptimizerConfig const& config, std::size_t parameters) {
  if (config.kind == "gd") return std::make_unique<GradientDescent<Real, Space>>();
  if (config.kind == "momentum") return std::make_unique<Momentum<Real, Space>>(config, parameters);
  if (config.kind == "rmsprop") return std::make_unique<RmsProp<Real, Space>>(config, parameters);
  if (config.kind == "adam") return std::make_unique<Adam<Real, Space>>(config, parameters);
  throw Error(concat("no optimizer is called '", config.kind, "'"));
}

std::size_t state_vectors(OptimizerConfig const& config) {
  return config.kind == "gd" ? 0 : config.kind == "adam" ? 2 : 1;
}

#define ONEDGE_INSTANTIATE(Real, Space)  \
  template class Optimizer<Real, Space>; \
  template std::unique_ptr<Optimizer<Real, Space>> make_optimizer<Real, Space>(OptimizerConfig const&, std::size_t);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::optimizer
