// Eigen-solvers along a training run (docs/sharpness.md): every k steps, each finds λ₁ of the Hessian at the weights of
// a deck's run, in the deck's way of a user, and is compared with a solve to 1e-10 in double.
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/spectrum/curvature_operator.hpp>
#include <onedge/spectrum/eigen_solver.hpp>
#include <onedge/training/objective_line.hpp>
#include <onedge/training/problem.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace {

using namespace onedge;
using Space = DefaultSpace;

/// The Hessian of a deck's problem, with its samples.
template <class Real>
struct Curvature {
  Curvature(training::TrainingConfig const& config, comm::MpiCommunicator const& world) : problem(config, world) {
    problem.read_samples();
    objective = std::make_unique<objective::Objective<Real, Space>>(
        Space(), problem.network(), problem.shard(), problem.partition(), world,
        objective::Options{0, config.reproducible, config.model.weight_decay});
    pool = std::make_shared<spectrum::VectorPool<Real, Space>>(world, objective->parameters());
    hessian = std::make_unique<spectrum::CurvatureOperator<Real, Space>>(*objective, pool->layout(), false);
  }
  spectrum::ShardedVectors<Real, Space> random(std::uint64_t draw) const {
    spectrum::ShardedVectors<Real, Space> vectors(pool, 1);
    vectors.randomise(1, draw);
    return vectors;
  }

  training::Problem<Real, Space> problem;
  std::unique_ptr<objective::Objective<Real, Space>> objective;
  std::shared_ptr<spectrum::VectorPool<Real, Space>> pool;
  std::unique_ptr<spectrum::CurvatureOperator<Real, Space>> hessian;
};

/// One way to measure λ₁, followed along the run.
struct Candidate {
  std::string name;
  spectrum::SolverOptions options;
  bool warm = true;
  std::vector<double> products, errors, seconds;
  std::shared_ptr<spectrum::ShardedVectors<float, Space>> vectors;
};

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void measure(Candidate& candidate, Curvature<float> const& curvature, std::uint64_t draw, double exact) {
  auto const begin = std::chrono::steady_clock::now();
  bool const starts_cold = !candidate.warm || candidate.vectors == nullptr;
  auto const initial = starts_cold ? curvature.random(draw) : *candidate.vectors;
  auto const found = spectrum::solve(*curvature.hessian, initial, 1, candidate.options);
  candidate.vectors = std::make_shared<spectrum::ShardedVectors<float, Space>>(found.vectors);
  candidate.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  candidate.products.push_back(static_cast<double>(found.products));
  candidate.errors.push_back(std::abs(found.values[0] - exact) / std::abs(exact));
}

void print(std::vector<Candidate> const& candidates) {
  std::puts("| solver | tolerance | start | products: median | most | error: median | largest | ms |");
  std::puts("|---|---|---|---|---|---|---|---|");
  for (auto const& c : candidates) {
    std::printf("| %s | %.0e | %s | %g | %g | %.1e | %.1e | %.1f |\n", c.name.c_str(), c.options.tolerance,
                c.warm ? "warm" : "random", quantile(c.products, 0.5), quantile(c.products, 1), quantile(c.errors, 0.5),
                quantile(c.errors, 1), 1000 * quantile(c.seconds, 0.5));
  }
}

std::vector<Candidate> candidates() {
  std::vector<Candidate> result;
  for (double const tolerance : {1e-2, 5e-3, 3e-3, 2e-3, 1e-3}) {
    result.push_back({"krylov_schur", {"krylov_schur", tolerance, 1000}, true, {}, {}, {}, {}});
  }
  result.push_back({"krylov_schur", {"krylov_schur", 1e-3, 1000}, false, {}, {}, {}, {}});
  result.push_back({"lobpcg", {"lobpcg", 1e-3, 1000}, true, {}, {}, {}, {}});
  result.push_back({"davidson", {"davidson", 1e-3, 1000}, true, {}, {}, {}, {}});
  result.push_back({"power", {"power", 1e-3, 1000}, true, {}, {}, {}, {}});
  result.push_back({"power", {"power", 1e-3, 1000}, false, {}, {}, {}, {}});
  return result;
}

void follow(training::TrainingConfig const& config, std::int64_t every, comm::MpiCommunicator const& world) {
  Curvature<float> single(config, world);
  Curvature<double> exact(config, world);
  auto const count = single.objective->parameters();
  auto const initial = single.problem.initial_parameters(config);
  Vector<float, Space> w("w", count), g("g", count), u("u", count);
  Vector<double, Space> w_double("w", count);
  Kokkos::deep_copy(w, VectorWindow<float const, HostSpace>(initial.data(), count));
  auto const optimizer = optimizer::make_optimizer<float, Space>(config.optimizer, count);
  auto const tuner = tuner::make_tuner(config.tuner, config.steps);
  training::ObjectiveLine<float, Space> line(Space(), *single.objective, [](std::int64_t, std::string const&) {});
  auto all = candidates();
  auto reference = exact.random(0);
  for (std::int64_t t = 0; t <= config.steps; ++t) {
    single.objective->set_point(w);
    auto const losses = single.objective->gradient(g);
    optimizer->update(Space(), g, u);
    line.begin(t, w, losses.loss, g, u, {});
    double const rate = tuner->learning_rate(line);
    if (t % every == 0) {
      Kokkos::deep_copy(w_double, w);
      exact.objective->set_point(w_double);
      auto const found = spectrum::solve(*exact.hessian, reference, 1, {"krylov_schur", 1e-10, 5000});
      reference = found.vectors;
      if (world.rank() == 0) {
        std::fprintf(stderr, "step %lld: loss %.6f, lambda %.8f, eta lambda %.4f (%lld products)\n",
                     static_cast<long long>(t), losses.loss, found.values[0], rate * found.values[0],
                     static_cast<long long>(found.products));
      }
      for (auto& candidate : all) measure(candidate, single, static_cast<std::uint64_t>(t), found.values[0]);
    }
    linalg::add_scaled<float>(Space(), w, static_cast<float>(rate), u, w);
  }
  if (world.rank() == 0) print(all);
}

}  // namespace

int main(int argc, char** argv) {
  int kokkos_count = 1;
  char** kokkos_arguments = argv;
  comm::Environment const environment(kokkos_count, kokkos_arguments);
  CLI::App app("Eigen-solvers along the run of a deck");
  std::string path;
  std::vector<std::string> overrides;
  std::int64_t every = 10;
  app.add_option("deck", path)->required();
  app.add_option("overrides", overrides, "section.key=value");
  app.add_option("--every", every, "steps between two measurements");
  CLI11_PARSE(app, argc, argv);
  try {
    linalg::use_one_thread();
    auto deck = config::Deck::from_file(path);
    for (auto const& assignment : overrides) deck.override_with(assignment);
    follow(training::TrainingConfig::bind(deck), every, environment.world());
  } catch (std::exception const& error) {
    return environment.fail(error.what(), 1);
  }
  return 0;
}
