// Micro-benchmarks of single operations on one rank, in float: GFLOP/s of matrix products, GB/s of what moves memory.
#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>

#include <benchmark/benchmark.h>

#include <functional>

namespace {

using namespace onedge;
using Space = DefaultSpace;
using Real = float;
using Network = network::Network<Real, Space>;

constexpr std::size_t samples = 512;

Vector<Real, Space> random_vector(std::size_t size, double scale = 1) {
  RandomStream const noise(1, "noise");
  Vector<Real, Space> result("onedge::bench::vector", size);
  auto const result_host = Kokkos::create_mirror_view(result);
  for (std::size_t i = 0; i < size; ++i) result_host(i) = static_cast<Real>(scale * noise.normal(i));
  Kokkos::deep_copy(result, result_host);
  return result;
}

void fill(MatrixWindow<Real, Space> window) {
  auto const values = random_vector(window.size());
  Kokkos::deep_copy(VectorWindow<Real, Space>(window.data(), window.size()), values);
}

/// x → (bias, so that x has planes) → the operation under test → loss.
class Fixture {
 public:
  using Build = std::function<network::Value(Network&, network::Value const&)>;

  Fixture(std::size_t width, Build const& build) {
    auto const x = network::bias(m_network, m_network.input({width}), "x");
    auto const y = build(m_network, x);
    m_network.finish(network::cross_entropy<Real, Space>(y));
    m_workspace = std::make_unique<network::Workspace<Real, Space>>(m_network, samples);
    m_workspace->reserve({1, true, 1});
    std::size_t const size = m_network.parameters().size();
    m_vectors = random_vector(2 * size, 0.05);
    m_sums = random_vector(2 * size);
    m_labels = Vector<std::int32_t, Space>("onedge::bench::labels", samples);
    m_bound.parameters = VectorWindow<Real const, Space>(m_vectors.data(), size);
    m_bound.directions = MatrixWindow<Real const, Space>(m_vectors.data() + size, 1, size);
    m_bound.gradient = VectorWindow<Real, Space>(m_sums.data(), size);
    m_bound.products = MatrixWindow<Real, Space>(m_sums.data() + size, 1, size);
    m_bound.labels = m_labels;
    fill(pass().plane(m_network.input_value(), 0));
    m_network.forward(pass());
    m_network.reverse(pass());
    m_network.forward_second(pass());
    m_network.product(pass());
    m_workspace->collect_terms(1);
  }

  network::Pass<Real, Space> pass() { return {Space(), *m_workspace, m_bound, 0, samples}; }
  network::Operation<Real, Space> const& operation() const { return *m_network.operations().back(); }
  network::Loss<Real, Space> const& loss() const { return m_network.loss(); }
  network::Workspace<Real, Space>& workspace() { return *m_workspace; }

 private:
  Network m_network;
  std::unique_ptr<network::Workspace<Real, Space>> m_workspace;
  network::Bindings<Real, Space> m_bound;
  Vector<Real, Space> m_vectors, m_sums;
  Vector<std::int32_t, Space> m_labels;
};

/// Per run of `work`: `amount` of `unit` (GFLOP/s, GB/s) in units of 1e9.
void measure(benchmark::State& state, double amount, char const* unit, std::function<void()> const& work) {
  work();
  for (auto _ : state) {
    work();
    Space().fence();
  }
  state.counters[unit] =
      benchmark::Counter(1e-9 * amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// Every pass of the last operation. `amount` is the work of one plane; a pass does it `times` over.
void operation_passes(std::string const& name, std::size_t width, Fixture::Build const& build, double amount,
                      std::array<double, 5> times, char const* unit) {
  struct Case {
    char const* pass;
    std::function<void(Fixture&)> run;
  };
  std::vector<Case> const cases{
      {"forward_0", [](Fixture& f) { f.operation().forward(f.pass(), 0); }},
      {"reverse_0", [](Fixture& f) { f.workspace().forget_written(), f.operation().reverse(f.pass(), 0); }},
      {"forward_1", [](Fixture& f) { f.operation().forward(f.pass(), 1); }},
      {"contract", [](Fixture& f) { f.operation().contract(f.pass()), f.workspace().collect_terms(1); }},
      {"reverse_1", [](Fixture& f) { f.workspace().forget_written(), f.operation().reverse(f.pass(), 1); }}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (times[i] == 0) continue;
    benchmark::RegisterBenchmark((name + "/" + cases[i].pass).c_str(), [=](benchmark::State& state) {
      Fixture fixture(width, build);
      measure(state, times[i] * amount, unit, [&] { cases[i].run(fixture); });
    });
  }
}

void register_operations() {
  for (std::size_t const in : {256, 3072}) {
    operation_passes(
        "dense_" + std::to_string(in) + "x256", in,
        [](Network& n, network::Value const& x) {
          return network::dense(n, x, "dense", 256, network::Initializer::zeros());
        },
        2.0 * samples * 256 * in, {1, 2, 2, 1, 4}, "GFLOP/s");
  }
  double const plane = samples * 256 * sizeof(Real);
  operation_passes(
      "bias", 256, [](Network& n, network::Value const& x) { return network::bias(n, x, "bias"); }, plane,
      {2, 1, 2, 0, 1}, "GB/s");
  operation_passes(
      "relu", 256, [](Network& n, network::Value const& x) { return network::relu(n, x); }, plane, {2, 3, 3, 0, 3},
      "GB/s");
  for (std::string const name : {"tanh", "gelu", "gelu_erf", "elu"}) {
    operation_passes(
        name, 256, [=](Network& n, network::Value const& x) { return network::activation(n, x, name); }, plane,
        {2, 3, 3, 3, 5}, "GB/s");
  }
}

void register_loss() {
  auto const identity = [](Network&, network::Value const& x) { return x; };
  double const plane = samples * 10 * sizeof(Real);
  auto const add = [=](char const* name, double times, std::function<void(Fixture&)> const& run) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) {
      Fixture fixture(10, identity);
      measure(state, times * plane, "GB/s", [&] { run(fixture), fixture.workspace().collect_terms(1); });
    });
  };
  add("cross_entropy/forward_0", 1, [](Fixture& f) { f.loss().forward(f.pass(), 0); });
  add("cross_entropy/reverse_0", 2, [](Fixture& f) { f.loss().reverse(f.pass(), 0); });
  add("cross_entropy/contract", 2, [](Fixture& f) { f.loss().contract(f.pass()); });
  add("cross_entropy/reverse_1", 3, [](Fixture& f) { f.loss().reverse(f.pass(), 1); });
}

void register_vectors(comm::Communicator const& communicator) {
  constexpr std::size_t length = 920842;  // parameters of the MLP 3072-256-256-256-10
  constexpr double bytes = length * sizeof(Real);
  benchmark::RegisterBenchmark("inner_products/4", [=](benchmark::State& state) {
    auto const a = random_vector(length), b = random_vector(length), c = random_vector(length);
    linalg::InnerProducts<Real, Space> products{Space()};
    measure(state, 3 * bytes, "GB/s", [&] { products({{a, b}, {a, a}, {b, b}, {b, c}}); });
  });
  benchmark::RegisterBenchmark("add_scaled", [=](benchmark::State& state) {
    auto const a = random_vector(length), b = random_vector(length);
    measure(state, 3 * bytes, "GB/s", [&] { linalg::add_scaled<Real, Space>(Space(), a, 1e-6F, b, a); });
  });
  benchmark::RegisterBenchmark("block_sum/32", [=, &communicator](benchmark::State& state) {
    auto const block = random_vector(length), result = random_vector(length);
    comm::BlockSum<Real, Space> sum(Space(), communicator, length, {0, 32});
    measure(state, 32 * bytes, "GB/s", [&] {
      sum.begin();
      for (int i = 0; i < 32; ++i) sum.add(block);
      sum.finish(result);
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment const environment(argc, argv);
  linalg::use_one_thread();
  register_operations();
  register_loss();
  register_vectors(environment.world());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
