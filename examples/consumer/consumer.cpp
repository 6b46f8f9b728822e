// Loss, gradient and curvature of a small multi-layer perceptron on random data, with OnEdge as a library: what a tuner
// of one's own would start from. Runs on any number of ranks: `mpirun -n 2 build/consumer`.
#include <onedge/comm/environment.hpp>
#include <onedge/core/random.hpp>
#include <onedge/model/model.hpp>
#include <onedge/objective/objective.hpp>

#include <cmath>
#include <cstdio>

namespace {

using Space = onedge::DefaultSpace;
constexpr std::size_t samples = 256, features = 20, classes = 4, block = 64;

/// Samples first … first + count − 1 of an endless random set, the same whoever asks.
onedge::data::HostSamples random_samples(std::size_t first, std::size_t count) {
  onedge::RandomStream const x(0, "x"), y(0, "y");
  onedge::data::HostSamples result;
  result.count = count;
  result.features = features;
  for (std::size_t i = first * features; i < (first + count) * features; ++i) result.reals.push_back(x.normal(i));
  for (std::size_t i = first; i < first + count; ++i) {
    result.labels.push_back(static_cast<std::int32_t>(y.integer(i, classes)));
  }
  return result;
}

onedge::Vector<double, Space> initial_weights(onedge::network::ParameterLayout const& layout) {
  auto const values = layout.initial_values(/*seed=*/0);
  onedge::Vector<double, Space> weights("consumer::weights", values.size());
  auto const weights_host = Kokkos::create_mirror_view(weights);
  for (std::size_t i = 0; i < values.size(); ++i) weights_host(i) = values[i];
  Kokkos::deep_copy(weights, weights_host);
  return weights;
}

void run(onedge::comm::Communicator const& communicator) {
  onedge::model::ModelConfig config;
  config.hidden = {32, 32};
  config.activation = "gelu";
  config.weight_decay = 1e-5;
  auto const network = onedge::model::make_network<double, Space>(config, {{features}, classes});

  // Each rank holds its own samples; everything the objective returns is of all of them.
  onedge::data::BlockPartition const partition(samples, block, communicator.size());
  int const rank = communicator.rank();
  onedge::data::Shard<double, Space> const shard(
      random_samples(partition.first_sample(rank), partition.sample_count(rank)));
  onedge::objective::Objective<double, Space> objective(Space(), *network, shard, partition, communicator,
                                                        {0, false, config.weight_decay});

  auto const w = initial_weights(network->parameters());
  onedge::Vector<double, Space> g("consumer::gradient", w.extent(0));
  objective.reserve({1, false, 0});  // one direction: curvature then reuses what the gradient computed
  objective.set_point(w);
  double const loss = objective.gradient(g).loss;
  // u = −g: the curvature uᵀHu is the same for g and −g, and the slope is gᵀu = −‖g‖².
  double const curvature = objective.curvature(g);
  double squared_norm = 0;
  Kokkos::parallel_reduce(
      "consumer::squared_norm", g.extent(0), KOKKOS_LAMBDA(std::size_t i, double& sum) { sum += g(i) * g(i); },
      squared_norm);
  if (rank == 0) {
    std::printf("parameters     %zu\n", network->parameters().size());
    std::printf("loss           %.12f\n", loss);
    std::printf("gradient norm  %.12f\n", std::sqrt(squared_norm));
    std::printf("curvature      %.12f\n", curvature);
    std::printf("on-edge rate   %.12f\n", 2 * squared_norm / std::abs(curvature));
  }
}

}  // namespace

int main(int argc, char** argv) {
  onedge::comm::Environment const environment(argc, argv);
  run(environment.world());
  return 0;
}
