// Micro-benchmarks of single operations on one rank, in float: GFLOP/s of what multiplies, GB/s of what moves memory
// (each plane that a pass must read or write counted once), and which share that is of what this machine reaches with a
// large matrix product and a large copy, measured first.
#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/random.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/activation.hpp>
#include <onedge/network/attention.hpp>
#include <onedge/network/combine.hpp>
#include <onedge/network/convolution.hpp>
#include <onedge/network/dense.hpp>
#include <onedge/network/feature.hpp>
#include <onedge/network/row.hpp>
#include <onedge/network/select.hpp>
#include <onedge/network/sequence.hpp>
#include <onedge/network/softmax.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

namespace {

using namespace onedge;
using Space = DefaultSpace;
using Real = float;
using Network = network::Network<Real, Space>;

/// The shortest of several runs, after one that is not counted.
double seconds_of(std::function<void()> const& work) {
  using Clock = std::chrono::steady_clock;
  work();
  double best = 1e30;
  for (int i = 0; i < 5; ++i) {
    Space().fence();
    auto const begin = Clock::now();
    work();
    Space().fence();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

/// What this machine reaches, in 1e9 per second.
struct Ceilings {
  double product = 0;  // GFLOP/s of a matrix product of 2048³
  double copy = 0;     // GB/s of a copy of 256 MiB, read and written

  Ceilings() {
    constexpr std::size_t n = 2048, length = std::size_t{1} << 26;
    Matrix<Real, Space> const a("onedge::bench::a", n, n), b("onedge::bench::b", n, n), c("onedge::bench::c", n, n);
    product = 2e-9 * n * n * n / seconds_of([&] {
                using linalg::Transpose;
                linalg::matmul<Real, Space>(Space(), Transpose::no, Transpose::no, 1, a, b, 0, c);
              });
    Vector<Real, Space> const from("onedge::bench::from", length), to("onedge::bench::to", length);
    copy = 2e-9 * length * sizeof(Real) / seconds_of([&] { Kokkos::deep_copy(Space(), to, from); });
  }
  double of(std::string const& unit) const { return unit == "GFLOP/s" ? product : copy; }
};

Ceilings const& ceilings() {
  static Ceilings const measured;
  return measured;
}

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

  Fixture(std::size_t samples, network::Shape const& shape, Build const& build) : m_samples(samples) {
    auto const x = network::bias(m_network, m_network.input(shape), "x");
    auto const y = build(m_network, x);
    m_network.finish(network::cross_entropy<Real, Space>(y));
    m_workspace = std::make_unique<network::Workspace<Real, Space>>(m_network, samples);
    m_workspace->reserve({1, true, 1});
    std::size_t const size = m_network.parameters().size();
    m_vectors = random_vector(2 * size, 0.05);
    m_sums = random_vector(2 * size);
    m_labels = Vector<std::int32_t, Space>("onedge::bench::labels", samples * m_network.loss().rows_per_sample());
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

  network::Pass<Real, Space> pass() { return {Space(), *m_workspace, m_bound, 0, m_samples}; }
  network::Operation<Real, Space> const& operation() const { return *m_network.operations().back(); }
  network::Loss<Real, Space> const& loss() const { return m_network.loss(); }
  network::Workspace<Real, Space>& workspace() { return *m_workspace; }

 private:
  std::size_t m_samples;
  Network m_network;
  std::unique_ptr<network::Workspace<Real, Space>> m_workspace;
  network::Bindings<Real, Space> m_bound;
  Vector<Real, Space> m_vectors, m_sums;
  Vector<std::int32_t, Space> m_labels;
};

/// Per run of `work`: `amount` of `unit` (GFLOP/s, GB/s) in units of 1e9.
void measure(benchmark::State& state, double amount, char const* unit, std::function<void()> const& work) {
  using Clock = std::chrono::steady_clock;
  work();
  auto const begin = Clock::now();
  for (auto _ : state) {
    work();
    Space().fence();
  }
  double const seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  double const rate = 1e-9 * amount * static_cast<double>(state.iterations()) / seconds;
  state.counters[unit] = rate;
  state.counters["share"] = rate / ceilings().of(unit);
}

/// The passes of an operation, as often as each does the work of one plane (see `times`).
constexpr std::array pass_names{"forward_0", "reverse_0", "forward_1", "contract", "reverse_1"};
using Times = std::array<double, pass_names.size()>;
constexpr Times bilinear{1, 2, 2, 1, 4}, linear{2, 2, 2, 0, 2}, curved{2, 3, 3, 3, 5};

void run_pass(Fixture& f, std::size_t index) {
  switch (index) {
    case 0:
      return f.operation().forward(f.pass(), 0);
    case 1:
      return f.workspace().forget_written(), f.operation().reverse(f.pass(), 0);
    case 2:
      return f.operation().forward(f.pass(), 1);
    case 3:
      f.operation().contract(f.pass());
      f.workspace().collect_terms(1);
      return;
    default:
      return f.workspace().forget_written(), f.operation().reverse(f.pass(), 1);
  }
}

/// Every pass of the last operation that `build` adds. `amount` is the work of one plane; a pass does it `times` over.
void operation_passes(std::string const& name, std::size_t samples, network::Shape const& shape,
                      Fixture::Build const& build, double amount, Times const& times, char const* unit) {
  for (std::size_t i = 0; i < pass_names.size(); ++i) {
    if (times[i] == 0) continue;
    benchmark::RegisterBenchmark((name + "/" + pass_names[i]).c_str(), [=](benchmark::State& state) {
      Fixture fixture(samples, shape, build);
      bool const goes_forward = pass_names[i] == std::string("contract") && fixture.operation().contract_goes_forward();
      measure(state, (times[i] + (goes_forward ? 1 : 0)) * amount, unit, [&] { run_pass(fixture, i); });
    });
  }
}

constexpr std::size_t rows = 512;

void register_products() {
  for (std::size_t const in : {256, 3072}) {
    operation_passes(
        "dense_" + std::to_string(in) + "x256", rows, {in},
        [](Network& n, network::Value const& x) {
          return network::dense(n, x, "dense", 256, network::Initializer::zeros());
        },
        2.0 * rows * 256 * in, bilinear, "GFLOP/s");
  }
  for (std::size_t const channels : {64, 256}) {
    std::size_t const side = 1024 / channels;                  // of the images of a ResNet's stages
    std::size_t const taps = (3 * side - 2) * (3 * side - 2);  // of all positions, the padding left out
    operation_passes(
        "convolution_3x3_" + std::to_string(channels), 16, {side, side, channels},
        [=](Network& n, network::Value const& x) {
          return network::convolution(n, x, "convolution", channels, network::Sliding::square(3, 1, 1));
        },
        2.0 * 16 * taps * channels * channels, bilinear, "GFLOP/s");
  }
  constexpr std::size_t positions = 64, width = 192, heads = 3;
  operation_passes(
      "attention_scores", 16, {positions, width},
      [](Network& n, network::Value const& x) { return network::attention_scores(n, x, x, heads); },
      2.0 * 16 * positions * positions * width, bilinear, "GFLOP/s");
}

void register_streams() {
  auto const stream = [](std::string const& name, network::Shape const& shape, Times const& times,
                         Fixture::Build const& build) {
    operation_passes(name, rows, shape, build, 1.0 * rows * network::size_of(shape) * sizeof(Real), times, "GB/s");
  };
  stream("bias", {256}, {2, 1, 2, 0, 1},
         [](Network& n, network::Value const& x) { return network::bias(n, x, "bias"); });
  stream("scale", {256}, curved, [](Network& n, network::Value const& x) { return network::scale(n, x, "scale"); });
  stream("relu", {256}, {2, 3, 3, 0, 3}, [](Network& n, network::Value const& x) { return network::relu(n, x); });
  for (std::string const name : {"tanh", "gelu", "gelu_erf", "elu"}) {
    stream(name, {256}, curved, [=](Network& n, network::Value const& x) { return network::activation(n, x, name); });
  }
  stream("normalize", {256}, curved, [](Network& n, network::Value const& x) { return network::normalize(n, x); });
  stream("softmax", {64, 64}, curved, [](Network& n, network::Value const& x) { return network::softmax(n, x); });
  stream("transpose", {64, 192}, linear, [](Network& n, network::Value const& x) { return network::transpose(n, x); });
  stream("max_pool", {16, 16, 64}, {1.25, 2.25, 1.25, 0, 2.25}, [](Network& n, network::Value const& x) {
    return network::max_pool(n, x, network::Sliding::square(3, 2, 1));
  });
}

void register_loss() {
  auto const identity = [](Network&, network::Value const& x) { return x; };
  double const plane = rows * 10 * sizeof(Real);
  auto const add = [=](char const* name, double times, std::function<void(Fixture&)> const& run) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) {
      Fixture fixture(rows, {10}, identity);
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
  register_products();
  register_streams();
  register_loss();
  register_vectors(environment.world());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  std::printf("ceilings: %.1f GFLOP/s, %.1f GB/s\n", ceilings().product, ceilings().copy);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
