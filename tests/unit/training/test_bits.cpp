// run.reduction: reproducible, for every model, optimizer, tuner and measurement: the same bits on any number of ranks,
// with any micro-batch, and when a run is interrupted and goes on on other ranks. Some combinations by default; all of
// them where ONEDGE_TEST_ALL is set (tests/long.sh).
#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/training/trainer.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "support/scratch.hpp"
#include "support/small_models.hpp"

namespace onedge::training {
namespace {

namespace fs = std::filesystem;

constexpr int steps = 6;

/// One folder for all ranks, with images and a text in it.
class SharedFolder {
 public:
  explicit SharedFolder(comm::Communicator const& world) : m_world(world) {
    if (world.rank() == 0) write();
    auto const path = world.gather(m_own ? m_own->path().string() : "").front();
    m_path = path;
  }
  SharedFolder(SharedFolder const&) = delete;
  SharedFolder& operator=(SharedFolder const&) = delete;
  ~SharedFolder() { m_world.barrier(); }
  fs::path const& path() const { return m_path; }

 private:
  void write() {
    m_own.emplace();
    constexpr std::size_t samples = 61;
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < samples * 9 * 8 * 2; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i * 31 % 251));
    for (std::size_t i = 0; i < samples; ++i) labels.push_back(static_cast<std::int64_t>(i * 7 % 3));
    hdf5::publish(*m_own / "images.h5", [&](hdf5::File& file) {
      file.write<std::uint8_t>("x", pixels, {samples, 9, 8, 2});
      file.write("y", labels);
      file.write<std::uint8_t>("x_test", std::span(pixels).first(30 * 9 * 8 * 2), {30, 9, 8, 2});
      file.write<std::int64_t>("y_test", std::span(labels).first(30), {30});
    });
    std::string text;
    for (std::size_t i = 0; i < 600; ++i) text += "abcd"[(i * i + i / 3) % 4];
    test::spit(*m_own / "text", text);
  }

  comm::Communicator const& m_world;
  std::optional<test::ScratchFolder> m_own;  // of rank 0
  fs::path m_path;
};

struct Case {
  std::string name, deck;
};

std::string const images = "data: {set: hdf5, path: FOLDER/images.h5, standardize: channel}\n";
std::string const vectors = "data: {set: synthetic, samples: 61, features: 5, classes: 3, test_samples: 30}\n";
std::string const text = "data: {set: text, path: FOLDER/text, length: 5, samples: 61, test_samples: 30}\n";
std::string const measures =
    "measure: {sharpness: {every: 2, operators: [hessian, preconditioned_hessian, gauss_newton, negative_hessian], "
    "count: 2}, evaluation: {every: 2}, gain: {every: 3}}\n";

std::vector<std::string> const optimizers = {"kind: gd", "kind: momentum", "kind: momentum, nesterov: true",
                                             "kind: rmsprop, decay: 0.9", "kind: adam"};
std::vector<std::string> const tuners = {"kind: constant, learning_rate: 0.02",
                                         "kind: schedule, peak: 0.03, warmup: 2, horizon: 6",
                                         "kind: linesearch",
                                         "kind: cdat",
                                         "kind: cdat, sigma: 0.1, ema: 0.9, every: 4",
                                         "kind: cdat, curvature: gauss_newton",
                                         "kind: cdat, curvature: parabolic",
                                         "kind: polyak, maximum: 0.1",
                                         "kind: hypergradient, initial: 0.01",
                                         "kind: sharpness, sigma: 1.0",
                                         "kind: sharpness, sigma: 1.0, operator: preconditioned_hessian"};
std::vector<std::string> const batches = {"", "batch: {size: 40}\n"};

std::string deck_of(std::string const& precision, std::string const& data, std::string const& model,
                    std::string const& optimizer, std::string const& tuner, std::string const& batch,
                    std::string const& measure) {
  return concat("run: {steps: ", steps, ", block: 8, reduction: reproducible, precision: ", precision, "}\n", data,
                "model: {", model, "}\nloss: {weight_decay: 0.001}\noptimizer: {", optimizer, "}\ntuner: {", tuner,
                "}\n", batch, measure, "output: {checkpoint: {every: 100}}\n");
}

/// The MLP under every optimizer, tuner and batch.
std::vector<Case> rules() {
  std::vector<Case> cases;
  for (auto const& batch : batches) {
    for (auto const& optimizer : optimizers) {
      for (auto const& tuner : tuners) {
        auto const* const precision = cases.size() % 2 == 0 ? "single" : "double";
        cases.push_back({concat(optimizer, " / ", tuner, " / ", batch, " / ", precision),
                         deck_of(precision, vectors, "hidden: [7, 6]", optimizer, tuner, batch, measures)});
      }
    }
  }
  return cases;
}

/// Every model, each under other rules, and every eigen-solver.
std::vector<Case> networks() {
  std::vector<Case> cases;
  auto const add = [&](std::string const& name, std::string const& data, std::string const& model,
                       std::string const& measure) {
    std::size_t const i = cases.size();
    for (std::size_t k = 0; k < 2; ++k) {
      auto const& optimizer = optimizers[(i + k) % optimizers.size()];
      auto const& tuner = tuners[(3 * i + 2 + k) % tuners.size()];
      auto const* const precision = (i / 2 + k) % 2 == 0 ? "single" : "double";
      cases.push_back({concat(name, " / ", optimizer, " / ", tuner, " / ", precision),
                       deck_of(precision, data, model, optimizer, tuner, batches[k], measure)});
    }
  };
  for (auto const& model : test::small_models()) {
    bool const reads = model.name == "nanolm";
    add(model.name, reads ? text : images, model.keys, measures);
  }
  add("linear", vectors, "kind: linear", measures);
  add("relu", vectors, "hidden: [9]", measures);
  for (auto const* solver : {"lobpcg", "davidson", "power"}) {
    auto const measure = concat("measure: {sharpness: {every: 2, solver: ", solver, ", tolerance: 1.0e-3}}\n");
    add(solver, vectors, "hidden: [7], activation: tanh", measure);
  }
  add("tracking", vectors, "hidden: [7], activation: tanh",
      "measure: {sharpness: {every: 1, track_above: 0.05, maximum_count: 4}}\n");
  return cases;
}

/// A world of at most four ranks, and its first one, two, three and four.
class Bits : public testing::Test {
 protected:
  Bits() : m_world(MPI_COMM_WORLD), m_folder(m_world) {}

  /// Trains on the first `ranks` ranks up to that step.
  void train(std::string const& deck, std::string const& name, int ranks, int until, int micro_batch) {
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split(m_world.handle(), m_world.rank() < ranks ? 0 : 1, m_world.rank(), &part);
    if (m_world.rank() < ranks) {
      comm::MpiCommunicator const communicator(part);
      auto parsed = config::Deck::from_text(with_folder(deck), "deck.yaml");
      parsed.override_with(concat("run.steps=", until));
      if (micro_batch > 0) parsed.override_with(concat("run.micro_batch=", micro_batch));
      auto config = TrainingConfig::bind(parsed);
      config.directory = m_folder.path() / name;
      Log log;
      RunContext context{config, parsed.resolved(), "test", communicator, log};
      auto const status = training::train(context, false);
      EXPECT_TRUE(status == io::Status::finished) << io::to_string(status);
    }
    MPI_Comm_free(&part);
    m_world.barrier();
  }

  void check(Case const& wanted) {
    SCOPED_TRACE(wanted.name);
    int const most = m_world.size();
    train(wanted.deck, "one", 1, steps, 0);
    for (int ranks = 2; ranks <= most; ++ranks) {
      train(wanted.deck, "more", ranks, steps, 8 * (ranks - 1));
      compare("one", "more", concat(ranks, " ranks"));
    }
    // Interrupted twice, on other ranks each time; the last two steps are those of one rank again.
    train(wanted.deck, "more", most, 3, 8);
    train(wanted.deck, "more", std::min(2, most), 4, 16);
    train(wanted.deck, "more", 1, steps, 0);
    compare("one", "more", "interrupted");
    if (m_world.rank() == 0) fs::remove_all(m_folder.path() / "one");
    m_world.barrier();
  }

  void check_some(std::vector<Case> const& cases, std::size_t stride) {
    bool const all = std::getenv("ONEDGE_TEST_ALL") != nullptr;
    for (std::size_t i = 0; i < cases.size(); i += all ? 1 : stride) check(cases[i]);
  }

 private:
  std::string with_folder(std::string deck) const {
    if (auto const at = deck.find("FOLDER"); at != std::string::npos) deck.replace(at, 6, m_folder.path().string());
    return deck;
  }

  /// Rank 0 compares, and removes the other run. The other ranks wait, so whatever goes wrong must end here.
  void compare(std::string const& one, std::string const& other, std::string const& what) {
    if (m_world.rank() == 0) {
      SCOPED_TRACE(what);
      EXPECT_NO_THROW(compare_runs(one, other));
      fs::remove_all(m_folder.path() / other);
    }
    m_world.barrier();
  }

  /// Everything but clocks, and the last checkpoint.
  void compare_runs(std::string const& one, std::string const& other) const {
    auto const a = io::Trajectory::load(m_folder.path() / one / "trajectory.h5");
    auto const b = io::Trajectory::load(m_folder.path() / other / "trajectory.h5");
    EXPECT_EQ(a.table("steps").size(), static_cast<std::size_t>(steps));
    for (auto const* name : {"steps", "curvature", "evaluation", "gain", "sharpness", "preconditioned_sharpness",
                             "gauss_newton_sharpness", "lowest_curvature"}) {
      ASSERT_EQ(a.has(name), b.has(name)) << name;
      if (a.has(name)) compare_tables(a.table(name), b.table(name), name);
    }
    compare_checkpoints(one, other);
  }

  static bool same(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

  static void compare_tables(io::Table const& a, io::Table const& b, std::string const& name) {
    EXPECT_EQ(a.steps(), b.steps()) << name;
    for (auto const& column : a.columns()) {
      if (column.name == "seconds") continue;
      auto const& x = a.values(column.name);
      auto const& y = b.values(column.name);
      EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end(), same)) << name << "/" << column.name;
    }
  }

  void compare_checkpoints(std::string const& one, std::string const& other) const {
    auto const a = io::read_checkpoint(m_folder.path() / one / io::checkpoint_name(steps));
    auto const b = io::read_checkpoint(m_folder.path() / other / io::checkpoint_name(steps));
    for (std::size_t i = 0; i < a.parameters.size(); ++i) EXPECT_EQ(a.parameters[i].values, b.parameters.at(i).values);
    ASSERT_EQ(a.states.size(), b.states.size());
    for (auto const& [group, state] : a.states) {
      EXPECT_EQ(state.numbers, b.states.at(group).numbers) << group;
      EXPECT_EQ(state.vectors, b.states.at(group).vectors) << group;
    }
  }

  comm::MpiCommunicator m_world;
  SharedFolder m_folder;
};

TEST_F(Bits, RulesOfUpdateAndLearningRate) { check_some(rules(), 13); }
TEST_F(Bits, NetworksAndSolvers) { check_some(networks(), 5); }

}  // namespace
}  // namespace onedge::training
