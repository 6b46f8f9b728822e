// Eigen-solvers at work (docs/sharpness.md). `along DECK`: every k steps of the deck's run, each solver finds λ₁ of the
// Hessian and is compared with a solve to 1e-10 in double. `overhead DECK`: at the deck's initial weights, the share of
// a solve that is not products, and products of four vectors at once against one by one.
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/spectrum/curvature_operator.hpp>
#include <onedge/spectrum/eigen_tracker.hpp>
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
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Adds up the time of the products that go through it.
template <class Real>
class TimedOperator : public spectrum::Operator<Real, Space> {
 public:
  explicit TimedOperator(spectrum::Operator<Real, Space> const& base) : m_base(base) {}
  void apply(spectrum::ShardedVectors<Real, Space> const& x, spectrum::ShardedVectors<Real, Space>& y) const override {
    auto const begin = Clock::now();
    m_base.apply(x, y);
    Space().fence();
    m_seconds += seconds_since(begin);
  }
  double seconds() const { return m_seconds; }

 private:
  spectrum::Operator<Real, Space> const& m_base;
  mutable double m_seconds = 0;
};

/// The Hessian of a deck's problem, with its samples, at weights of its own.
template <class Real>
struct Curvature {
  using Vectors = spectrum::ShardedVectors<Real, Space>;

  Curvature(training::TrainingConfig const& config, comm::MpiCommunicator const& world) : problem(config, world) {
    problem.read_samples();
    problem.make_shards(world);
    objective = std::make_unique<objective::Objective<Real, Space>>(
        Space(), problem.network(), problem.shard(), problem.partition(), world,
        objective::Options{0, config.reproducible, config.model.weight_decay});
    pool = std::make_shared<spectrum::VectorPool<Real, Space>>(world, objective->parameters());
    hessian = std::make_unique<spectrum::CurvatureOperator<Real, Space>>(*objective, pool->layout(), false);
    weights = Vector<Real, Space>("onedge::bench::weights", objective->parameters());
    gradient = Vector<Real, Space>("onedge::bench::gradient", objective->parameters());
    auto const initial = problem.initial_parameters(config);
    Kokkos::deep_copy(weights, VectorWindow<Real const, HostSpace>(initial.data(), initial.size()));
  }
  double linearise() {
    objective->set_point(weights);
    return objective->gradient(gradient).loss;
  }
  Vectors gradient_slice() const {
    Vectors slice(pool, 1);
    auto const& layout = pool->layout();
    Kokkos::deep_copy(slice.column(0),
                      VectorWindow<Real const, Space>(gradient.data() + layout.first(), layout.local()));
    return slice;
  }

  training::Problem<Real, Space> problem;
  std::unique_ptr<objective::Objective<Real, Space>> objective;
  std::shared_ptr<spectrum::VectorPool<Real, Space>> pool;
  std::unique_ptr<spectrum::CurvatureOperator<Real, Space>> hessian;
  Vector<Real, Space> weights, gradient;
};

/// One way to measure λ₁, followed along the run.
struct Candidate {
  std::string name;
  spectrum::SolverOptions options;
  bool tracks = true;  // as in training, from the last vector and the gradient; otherwise each time from noise
  std::vector<double> products, errors, seconds;
  std::shared_ptr<spectrum::EigenTracker<float, Space>> tracker;

  void measure(Curvature<float> const& curvature, std::uint64_t step, double exact) {
    if (!tracker || !tracks) {
      tracker = std::make_shared<spectrum::EigenTracker<float, Space>>(options, 1, 0);
    }
    auto hint = curvature.gradient_slice();
    if (!tracks) hint.fill(0);
    auto const begin = Clock::now();
    auto const found = tracker->measure(*curvature.hessian, hint, step);
    seconds.push_back(seconds_since(begin));
    products.push_back(static_cast<double>(found.products));
    errors.push_back(std::abs(found.values[0] - exact) / std::abs(exact));
  }
};

std::vector<Candidate> candidates() {
  std::vector<Candidate> result;
  auto const add = [&](std::string const& kind, double tolerance, bool tracks) {
    result.push_back({kind, {kind, tolerance, 1000}, tracks, {}, {}, {}, {}});
  };
  for (double const tolerance : {5e-3, 2e-3, 1e-3, 1e-4}) add("krylov_schur", tolerance, true);
  add("krylov_schur", 2e-3, false);
  add("lobpcg", 2e-3, true);
  add("davidson", 2e-3, true);
  add("power", 1e-3, true);
  add("power", 1e-3, false);
  return result;
}

void print(std::vector<Candidate> const& all) {
  std::puts("| solver | tolerance | start | products: median | most | error of λ₁: median | largest | ms |");
  std::puts("|---|---|---|---|---|---|---|---|");
  for (auto const& c : all) {
    std::printf("| %s | %.0e | %s | %g | %g | %.1e | %.1e | %.0f |\n", c.name.c_str(), c.options.tolerance,
                c.tracks ? "tracked" : "random", quantile(c.products, 0.5), quantile(c.products, 1),
                quantile(c.errors, 0.5), quantile(c.errors, 1), 1000 * quantile(c.seconds, 0.5));
  }
}

void along(training::TrainingConfig const& config, std::int64_t every, comm::MpiCommunicator const& world) {
  Curvature<float> run(config, world);
  Curvature<double> reference(config, world);
  Vector<float, Space> update("onedge::bench::update", run.objective->parameters());
  auto const optimizer = optimizer::make_optimizer<float, Space>(config.optimizer, run.objective->parameters());
  auto const tuner = tuner::make_tuner(config.tuner, {config.steps});
  training::ObjectiveLine<float, Space> line(Space(), *run.objective, [](std::int64_t, std::string const&) {});
  auto all = candidates();
  spectrum::EigenTracker<double, Space> exact({"krylov_schur", 1e-10, 5000}, 1, 0);
  for (std::int64_t t = 0; t <= config.steps; ++t) {
    double const loss = run.linearise();
    optimizer->update(Space(), run.gradient, update);
    line.begin(t, run.weights, loss, run.gradient, update, {});
    double const rate = tuner->learning_rate(line);
    if (t % every == 0) {
      Kokkos::deep_copy(reference.weights, run.weights);
      reference.linearise();
      auto const found = exact.measure(*reference.hessian, reference.gradient_slice(), static_cast<std::uint64_t>(t));
      if (world.rank() == 0) {
        std::fprintf(stderr, "step %4lld: loss %.6f, lambda %.8f (residual %.0e), eta lambda %.4f\n",
                     static_cast<long long>(t), loss, found.values[0], found.residuals[0], rate * found.values[0]);
      }
      for (auto& candidate : all) candidate.measure(run, static_cast<std::uint64_t>(t), found.values[0]);
    }
    linalg::add_scaled<float>(Space(), run.weights, static_cast<float>(rate), update, run.weights);
  }
  if (world.rank() == 0) print(all);
}

void overhead(training::TrainingConfig const& config, int rounds, comm::MpiCommunicator const& world) {
  Curvature<float> curvature(config, world);
  curvature.objective->reserve({0, false, 4});
  curvature.linearise();
  spectrum::ShardedVectors<float, Space> x(curvature.pool, 4), y(curvature.pool, 4);
  x.randomise(0, 0);
  std::vector<double> shares, solves, blocks, singles;
  for (int round = 0; round <= rounds; ++round) {
    auto begin = Clock::now();
    spectrum::EigenTracker<float, Space> tracker({}, 1, 0);
    TimedOperator<float> const timed(*curvature.hessian);
    tracker.measure(timed, curvature.gradient_slice(), 0);
    double const solve = seconds_since(begin);
    begin = Clock::now();
    curvature.hessian->apply(x, y);
    double const block = seconds_since(begin);
    begin = Clock::now();
    for (int c = 0; c < 4; ++c) {
      auto target = y.select({c});
      curvature.hessian->apply(x.select({c}), target);
    }
    double const single = seconds_since(begin);
    if (round == 0) continue;  // memory is taken, pages are touched
    shares.push_back(1 - timed.seconds() / solve), solves.push_back(solve);
    blocks.push_back(block), singles.push_back(single);
  }
  if (world.rank() != 0) return;
  std::printf("solve: %.1f ms, of which not products %.1f %%\n", 1e3 * quantile(solves, 0.5),
              100 * quantile(shares, 0.5));
  std::printf("four products at once / one by one: %.1f ms / %.1f ms = %.3f\n", 1e3 * quantile(blocks, 0.5),
              1e3 * quantile(singles, 0.5), quantile(blocks, 0.5) / quantile(singles, 0.5));
}

}  // namespace

int main(int argc, char** argv) {
  int kokkos_count = 1;
  char** kokkos_arguments = argv;
  comm::Environment const environment(kokkos_count, kokkos_arguments);
  CLI::App app("Eigen-solvers at work");
  std::string mode, path;
  std::vector<std::string> overrides;
  std::int64_t every = 10;
  int rounds = 15;
  app.add_option("mode", mode)->required()->check(CLI::IsMember({"along", "overhead"}));
  app.add_option("deck", path)->required();
  app.add_option("overrides", overrides, "section.key=value");
  app.add_option("--every", every, "along: steps between two measurements");
  app.add_option("--rounds", rounds, "overhead: repetitions");
  CLI11_PARSE(app, argc, argv);
  try {
    linalg::use_one_thread();
    auto deck = config::Deck::from_file(path);
    for (auto const& assignment : overrides) deck.override_with(assignment);
    auto const config = training::TrainingConfig::bind(deck);
    mode == "along" ? along(config, every, environment.world()) : overhead(config, rounds, environment.world());
  } catch (std::exception const& error) {
    return environment.fail(error.what(), 1);
  }
  return 0;
}
