// Times one kind of step after another on its standard input's request, for compare.py, which alternates this program
// with others in one run. Protocol, on rank 0: a line "MODE STEPS" (constant | cdat | gradient | product) is answered
// by one line of JSON with the seconds of each step; end of input ends the program. Between requests all ranks sleep,
// so that what runs meanwhile has the cores to itself.
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/core/version.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/model/model.hpp>
#include <onedge/objective/objective.hpp>
#include <onedge/optimizer/gradient_descent.hpp>
#include <onedge/tuner/cdat.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

namespace {

using namespace onedge;
using Space = DefaultSpace;
using Real = float;

struct Settings {
  std::size_t samples = 4096;
  network::Shape sample = {3072};
  std::string model = "mlp";
  std::vector<std::int64_t> hidden = {256, 256, 256};
  std::size_t block = 64;
  std::size_t micro_batch = 0;
  bool reproducible = false;
  bool tf32 = false;

  bool is_text() const { return model == "nanolm"; }
  model::DataShape shape() const {
    std::size_t const classes = is_text() ? 65 : 10;
    return {sample, classes, is_text() ? classes : 0};
  }
};

/// Random pixels, or characters, and labels: what the timings need, on any machine.
data::HostSamples make_samples(Settings const& settings, std::size_t first, std::size_t count) {
  RandomStream const inputs(1, "pixels"), labels(1, "labels");
  data::HostSamples result;
  result.count = count;
  result.features = network::size_of(settings.sample);
  auto const [sample, classes, vocabulary] = settings.shape();
  for (std::size_t i = first * result.features; i < (first + count) * result.features; ++i) {
    if (settings.is_text()) {
      result.tokens.push_back(static_cast<std::int32_t>(inputs.integer(i, vocabulary)));
    } else {
      result.pixels.push_back(static_cast<std::uint8_t>(inputs.integer(i, 256)));
    }
  }
  std::size_t const rows = settings.is_text() ? result.features : 1;
  for (std::size_t i = first * rows; i < (first + count) * rows; ++i) {
    result.labels.push_back(static_cast<std::int32_t>(labels.integer(i, classes)));
  }
  return result;
}

/// A training step as `onedge train` does it, without its input and output.
class Stepper {
 public:
  using Direction = Vector<Real, Space>;

  Stepper(Settings const& settings, network::Network<Real, Space> const& network, data::Shard<Real, Space> const& shard,
          data::BlockPartition const& partition, comm::Communicator const& communicator)
      : m_objective(Space(), network, shard, partition, communicator,
                    {settings.micro_batch, settings.reproducible, 1e-4}),
        m_inner_products(Space()),
        m_weights("onedge::Stepper::weights", m_objective.parameters()),
        m_gradient("onedge::Stepper::gradient", m_objective.parameters()),
        m_update("onedge::Stepper::update", m_objective.parameters()),
        m_previous("onedge::Stepper::previous", m_objective.parameters()) {
    auto const initial = network.parameters().initial_values(0);
    auto const weights_host = Kokkos::create_mirror_view(m_weights);
    for (std::size_t i = 0; i < initial.size(); ++i) weights_host(i) = static_cast<Real>(initial[i]);
    Kokkos::deep_copy(m_weights, weights_host);
  }

  void step(std::string const& mode) {
    if (mode == "product") return product();
    m_objective.set_point(m_weights);
    if (mode == "cdat") m_objective.reserve({1, false, 0});
    m_objective.gradient(m_gradient);
    if (mode == "gradient") return;
    std::swap(m_update, m_previous);
    m_optimizer.update(Space(), m_gradient, m_update);
    auto const products = m_inner_products(
        {{m_gradient, m_update}, {m_gradient, m_gradient}, {m_update, m_update}, {m_update, m_previous}});
    double rate = 1e-3;
    if (mode == "cdat") rate = 2.0 * -products[0] / (std::abs(m_objective.curvature(m_update)) + 1e-12);
    linalg::add_scaled<Real, Space>(Space(), m_weights, static_cast<Real>(rate), m_update, m_weights);
    Space().fence();
  }

 private:
  // On the planes and adjoints of the last gradient; the first call computes them.
  void product() {
    if (m_objective.counts().products == 0) {
      m_objective.reserve({0, false, 1});
      m_objective.set_point(m_weights);
      m_objective.gradient(m_gradient);
    }
    MatrixWindow<Real const, Space> const direction(m_gradient.data(), 1, m_gradient.extent(0));
    m_objective.product(direction, MatrixWindow<Real, Space>(m_update.data(), 1, m_update.extent(0)));
  }

  objective::Objective<Real, Space> m_objective;
  optimizer::GradientDescent<Real, Space> m_optimizer;
  linalg::InnerProducts<Real, Space> m_inner_products;
  Direction m_weights, m_gradient, m_update, m_previous;
};

/// The request that rank 0 reads, on every rank; empty at the end of input. Waits without using the processor.
std::string next_request(comm::MpiCommunicator const& communicator) {
  std::string line;
  if (communicator.rank() == 0) std::getline(std::cin, line);
  std::array<char, 64> request{};
  line.copy(request.data(), request.size() - 1);
  MPI_Request pending = MPI_REQUEST_NULL;
  MPI_Ibcast(request.data(), request.size(), MPI_CHAR, 0, communicator.handle(), &pending);
  int arrived = 0;
  for (MPI_Test(&pending, &arrived, MPI_STATUS_IGNORE); !arrived; MPI_Test(&pending, &arrived, MPI_STATUS_IGNORE)) {
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return request.data();
}

void answer(Stepper& stepper, std::string const& mode, int steps, comm::MpiCommunicator const& communicator) {
  using Clock = std::chrono::steady_clock;
  communicator.barrier();
  std::string seconds;
  for (int i = 0; i < steps; ++i) {
    auto const start = Clock::now();
    stepper.step(mode);
    Space().fence();
    seconds += (i == 0 ? "" : ", ") + std::to_string(std::chrono::duration<double>(Clock::now() - start).count());
  }
  if (communicator.rank() == 0) {
    std::printf("{\"mode\": \"%s\", \"seconds\": [%s]}\n", mode.c_str(), seconds.c_str());
    std::fflush(stdout);
  }
}

void serve(Settings const& settings, comm::MpiCommunicator const& communicator) {
  model::ModelConfig config;
  config.kind = settings.model;
  config.hidden = settings.hidden;
  auto const network = model::make_network<Real, Space>(config, settings.shape());
  data::BlockPartition const partition(settings.samples, settings.block, communicator.size());
  int const rank = communicator.rank();
  data::Shard<Real, Space> const shard(
      make_samples(settings, partition.first_sample(rank), partition.sample_count(rank)));
  // One for each mode: what a mode keeps in memory must not slow another one down.
  std::map<std::string, Stepper> steppers;
  for (auto request = next_request(communicator); !request.empty(); request = next_request(communicator)) {
    std::istringstream words(request);
    std::string mode;
    int steps = 0;
    words >> mode >> steps;
    auto& stepper = steppers.try_emplace(mode, settings, *network, shard, partition, communicator).first->second;
    answer(stepper, mode, steps, communicator);
  }
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment environment(argc, argv);
  try {
    Settings settings;
    CLI::App program("Times training steps; reads \"MODE STEPS\" lines");
    program.add_option("--samples", settings.samples, "of all ranks");
    program.add_option("--model", settings.model, "kind of network, as in decks");
    program.add_option("--sample", settings.sample, "shape of a sample, channels last; of text its length")
        ->delimiter(',');
    program.add_option("--hidden", settings.hidden, "of an mlp, widths of the hidden layers")->delimiter(',');
    program.add_option("--block", settings.block, "samples in a block");
    program.add_option("--micro-batch", settings.micro_batch, "samples at once per rank; 0: all");
    program.add_flag("--reproducible", settings.reproducible, "reproducible reductions");
    program.add_flag("--tf32", settings.tf32, "on devices: products with factors rounded to TF32");
    CLI11_PARSE(program, argc, argv);
    linalg::use_one_thread();
    linalg::use_tf32(settings.tf32);
    environment.connect_devices();
    serve(settings, environment.world());
    return 0;
  } catch (std::exception const& error) {
    return environment.fail(error.what(), 1);
  }
}
