// Everything that training launches or allocates carries a name that says where it comes from, so that profiles can be
// read: every kernel, array and region is called onedge::…; only what is Kokkos' own (kernels that set or copy an
// array, the scratch memory of a backend) is called Kokkos::….
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/core/random.hpp>
#include <onedge/model/model.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/objective/evaluator.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/optimizer/optimizer.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

using namespace onedge;
using Space = DefaultSpace;

constexpr std::size_t samples = 24, features = 6, classes = 3, block = 8;

// Kokkos' callbacks are plain functions.
struct Seen {
  std::set<std::string> kernels, arrays, regions;
};
Seen& seen() {
  static Seen instance;
  return instance;
}

/// Listens to Kokkos for the life of the object.
class Listener {
 public:
  Listener() {
    namespace tools = Kokkos::Tools::Experimental;
    seen() = {};
    tools::set_begin_parallel_for_callback(on_kernel);
    tools::set_begin_parallel_reduce_callback(on_kernel);
    tools::set_begin_parallel_scan_callback(on_kernel);
    tools::set_push_region_callback([](char const* name) { seen().regions.insert(name); });
    tools::set_allocate_data_callback(on_array);
  }
  Listener(Listener const&) = delete;
  Listener& operator=(Listener const&) = delete;
  ~Listener() {
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(nullptr);
    tools::set_begin_parallel_reduce_callback(nullptr);
    tools::set_begin_parallel_scan_callback(nullptr);
    tools::set_push_region_callback(nullptr);
    tools::set_allocate_data_callback(nullptr);
  }

 private:
  static void on_kernel(char const* name, std::uint32_t, std::uint64_t*) { seen().kernels.insert(name); }
  static void on_array(Kokkos_Profiling_SpaceHandle, char const* name, void const*, std::uint64_t) {
    seen().arrays.insert(name);
  }
};

/// Names that start with none of the prefixes, one per line.
std::string strangers(std::set<std::string> const& names, std::vector<std::string> const& prefixes) {
  std::string result;
  for (auto const& name : names) {
    bool known = false;
    for (auto const& prefix : prefixes) known = known || name.rfind(prefix, 0) == 0;
    if (!known) result += "'" + name + "'\n";
  }
  return result;
}

data::HostSamples make_samples(std::size_t first, std::size_t count, bool pixels) {
  RandomStream const x(1, "x"), y(1, "y");
  data::HostSamples result;
  result.count = count;
  result.features = features;
  for (std::size_t i = first * features; i < (first + count) * features; ++i) {
    if (pixels) {
      result.pixels.push_back(static_cast<std::uint8_t>(x.integer(i, 256)));
    } else {
      result.reals.push_back(x.normal(i));
    }
  }
  for (std::size_t i = first; i < first + count; ++i) {
    result.labels.push_back(static_cast<std::int32_t>(y.integer(i, classes)));
  }
  return result;
}

struct Case {
  std::string activation = "relu", loss = "cross_entropy", optimizer = "gd";
  bool reproducible = false, pixels = false;
  std::size_t micro_batch = 0;
};

/// One step with everything that a tuner or a measurement may ask for.
template <class Real>
void step(Case const& chosen) {
  comm::MpiCommunicator const communicator(MPI_COMM_SELF);
  model::ModelConfig config;
  config.hidden = {5, 4};
  config.activation = chosen.activation;
  config.loss = chosen.loss;
  auto const network = model::make_network<Real, Space>(config, {{features}, classes});
  data::BlockPartition const partition(samples, block, 1);
  data::Shard<Real, Space> const shard(make_samples(0, samples, chosen.pixels));
  Space const space;
  objective::Objective<Real, Space> objective(space, *network, shard, partition, communicator,
                                              {chosen.micro_batch, chosen.reproducible, 1e-3});
  optimizer::OptimizerConfig optimizer_config;
  optimizer_config.kind = chosen.optimizer;
  std::size_t const count = objective.parameters();
  auto const optimizer = optimizer::make_optimizer<Real, Space>(optimizer_config, count);
  Vector<Real, Space> w("onedge::test::w", count), g("onedge::test::g", count), u("onedge::test::u", count);
  Matrix<Real, Space> v("onedge::test::v", 2, count), hv("onedge::test::hv", 2, count);
  objective.set_point(w);
  objective.gradient(g);
  optimizer->update(space, g, u);
  if (optimizer->is_preconditioned()) optimizer->preconditioner(space, w);
  objective.curvature(u);
  objective.gauss_newton_curvature(u);
  objective.product(v, hv);
  objective.product(v, hv, true);
  linalg::InnerProducts<Real, Space> inner_products(space);
  inner_products({{g, u}, {g, g}});
  linalg::add_scaled<Real>(space, w, Real(0.1), u, w);
  objective.loss();
  objective::Evaluator<Real, Space> evaluator(space, *network, shard, partition, communicator, block,
                                              chosen.reproducible);
  evaluator(w);
}

template <class Real>
void expect_named() {
  Listener const listener;
  for (auto const& activation : network::activation_names()) step<Real>({.activation = activation});
  for (auto const* optimizer : {"momentum", "rmsprop", "adam"}) step<Real>({.optimizer = optimizer});
  step<Real>({.loss = "squared_error", .pixels = true, .micro_batch = block});
  step<Real>({.reproducible = true, .pixels = true, .micro_batch = 2 * block});
  EXPECT_EQ(strangers(seen().kernels, {"onedge::", "Kokkos::"}), "");
  EXPECT_EQ(strangers(seen().arrays, {"onedge::", "Kokkos::"}), "");
  EXPECT_EQ(strangers(seen().regions, {"onedge::"}), "");
  // The listener did listen.
  EXPECT_EQ(seen().kernels.count("onedge::Relu::forward"), 1u);
  EXPECT_GT(seen().kernels.size(), 20u);
  EXPECT_GT(seen().arrays.size(), 5u);
}

TEST(Labels, EverythingIsNamedFloat) { expect_named<float>(); }
TEST(Labels, EverythingIsNamedDouble) { expect_named<double>(); }

// nvcc allows no such lambda in a test.
void run_strangers() {
  Kokkos::View<double*, Space> const nameless("mine", 3);
  Kokkos::parallel_for(
      "loop", range(Space(), 3), KOKKOS_LAMBDA(std::size_t i) { nameless(i) = 1; });
}

TEST(Labels, AStrangerIsNoticed) {
  Listener const listener;
  run_strangers();
  EXPECT_NE(strangers(seen().arrays, {"onedge::", "Kokkos::"}), "");
  EXPECT_NE(strangers(seen().kernels, {"onedge::", "Kokkos::"}), "");
}

}  // namespace
