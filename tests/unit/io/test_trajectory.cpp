#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/trajectory.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include "support/scratch.hpp"

namespace {

using namespace onedge;
using io::Column;
using io::Status;
using io::Table;
using io::Trajectory;
using test::message_of;
using test::ScratchFolder;

Trajectory example(std::int64_t steps) {
  Trajectory trajectory({"run: {name: η}\n", "onedge train deck.yaml", Precision::double_precision, 23, 4096});
  trajectory.add_segment(
      {0, 2, "serial", "node1,node2", "", "abc", "2024-05-01T12:00:00+00:00", "H100", "NCCL 2.28.9"});
  auto& table = trajectory.declare("steps", io::step_columns({"loss", "learning_rate", "evaluations"}));
  auto& sharpness = trajectory.declare("sharpness", io::sharpness_columns(2));
  trajectory.declare("evaluation", io::evaluation_columns(true));
  for (std::int64_t step = 0; step < steps; ++step) {
    table.append(step, {{"loss", 1.0 / static_cast<double>(step + 1)}, {"learning_rate", 0.1}, {"evaluations", step}});
    if (step % 10 == 0) {
      sharpness.append(step, {{"eigenvalues", std::vector{20.0, static_cast<double>(step)}},
                              {"residuals", std::vector{0.1, 0.2}},
                              {"converged", std::vector{1.0, 0.0}},
                              {"hvps", 12},
                              {"solver", 1},
                              {"edge", 2.0},
                              {"alignment", 0.5},
                              {"seconds", 0.25}});
    }
    if (step % 7 == 3) trajectory.warn(step, "η = 0");
  }
  return trajectory;
}

TEST(Trajectory, ComesBackAsItWas) {
  ScratchFolder folder;
  auto original = example(25);
  original.set_status(Status::diverged);
  original.publish(folder / "trajectory.h5");
  auto const loaded = Trajectory::load(folder / "trajectory.h5");
  EXPECT_EQ(loaded.description().deck, "run: {name: η}\n");
  EXPECT_EQ(loaded.description().command_line, "onedge train deck.yaml");
  EXPECT_EQ(loaded.description().precision, Precision::double_precision);
  EXPECT_EQ(loaded.description().parameters, 23);
  EXPECT_EQ(loaded.description().samples, 4096);
  EXPECT_EQ(loaded.status(), Status::diverged);
  ASSERT_EQ(loaded.segments().size(), 1U);
  EXPECT_EQ(loaded.segments()[0].hosts, "node1,node2");
  EXPECT_EQ(loaded.segments()[0].ranks, 2);
  EXPECT_EQ(loaded.segments()[0].devices, "H100");
  EXPECT_EQ(loaded.segments()[0].communicator, "NCCL 2.28.9");
  ASSERT_EQ(loaded.warnings().size(), 4U);
  EXPECT_EQ(loaded.warnings()[1].step, 10);
  EXPECT_EQ(loaded.warnings()[1].message, "η = 0");
  for (auto const* name : {"steps", "sharpness"}) {
    EXPECT_EQ(loaded.table(name).steps(), original.table(name).steps());
    for (auto const& column : original.table(name).columns()) {
      EXPECT_EQ(loaded.table(name).values(column.name), original.table(name).values(column.name)) << column.name;
    }
  }
  EXPECT_EQ(loaded.table("sharpness").size(), 3U);
  EXPECT_FALSE(loaded.has("evaluation")) << "a table without a record is absent";
}

TEST(Trajectory, IsPublishableBeforeTheFirstStep) {
  ScratchFolder folder;
  example(0).publish(folder / "trajectory.h5");
  auto const loaded = Trajectory::load(folder / "trajectory.h5");
  EXPECT_EQ(loaded.table("steps").size(), 0U);
  EXPECT_TRUE(loaded.warnings().empty());
  EXPECT_EQ(loaded.status(), Status::running);
}

TEST(Trajectory, GoesOnWhereItWasLoaded) {
  ScratchFolder folder;
  example(10).publish(folder / "trajectory.h5");
  auto resumed = Trajectory::load(folder / "trajectory.h5");
  resumed.add_segment({10, 4, "serial", "node3", "77", "abd", "2024-05-02T12:00:00+00:00", "", "MPI"});
  auto& steps = resumed.declare("steps", io::step_columns({"loss", "learning_rate", "evaluations"}));
  EXPECT_THROW(steps.append(9, {{"loss", 0.0}, {"learning_rate", 0.0}, {"evaluations", 0}}), Error);
  steps.append(10, {{"loss", 5.0}, {"learning_rate", 0.0}, {"evaluations", 0}});
  resumed.publish(folder / "trajectory.h5");
  auto const loaded = Trajectory::load(folder / "trajectory.h5");
  EXPECT_EQ(loaded.table("steps").size(), 11U);
  EXPECT_EQ(loaded.table("steps").values("loss").back(), 5.0);
  EXPECT_EQ(loaded.segments().size(), 2U);
}

TEST(Trajectory, RefusesOtherColumnsThanThoseOfTheFile) {
  auto trajectory = example(3);
  EXPECT_THROW(trajectory.declare("steps", io::step_columns({"loss"})), Error);
  EXPECT_THROW(trajectory.declare("sharpness", io::evaluation_columns(true)), Error);
  EXPECT_THROW(io::step_columns({"sharpness"}), Error);
}

TEST(Table, TakesANewColumnWithNothingInTheRecordsThatAreThere) {
  Table table(std::vector<Column>{{"a", "first"}});
  table.append(0, {{"a", 1.0}});
  table.redeclare({{"a", "first"}, {"n", "new", "1", Column::Kind::integer}, {"x", "new", "1", Column::Kind::real, 2}});
  table.append(1, {{"a", 2.0}, {"n", 3}, {"x", std::vector<double>{4.0, 5.0}}});
  EXPECT_EQ(table.values("n"), (std::vector<double>{0, 3}));
  EXPECT_TRUE(std::isnan(table.values("x")[0]) && std::isnan(table.values("x")[1]));
  EXPECT_EQ(table.values("x")[3], 5);
}

TEST(Table, RefusesIncompleteAndSurplusRecords) {
  Table table({{"a", "first"}, {"b", "second", "s", Column::Kind::real, 2}});
  std::vector<double> const two{1.0, 2.0};
  EXPECT_NE(message_of<Error>([&] { table.append(0, {{"a", 1.0}}); }).find("lacks column 'b'"), std::string::npos);
  EXPECT_NE(message_of<Error>([&] { table.append(0, {{"a", 1.0}, {"b", 1.0}}); }).find("2 values"), std::string::npos);
  EXPECT_NE(message_of<Error>([&] {
              table.append(0, {{"a", 1.0}, {"b", two}, {"c", 0}});
            }).find("'c'"),
            std::string::npos);
  EXPECT_EQ(table.size(), 0U) << "a refused record leaves nothing behind";
  EXPECT_TRUE(table.values("a").empty());
  table.append(0, {{"a", 1.0}, {"b", two}});
  EXPECT_EQ(table.size(), 1U);
  EXPECT_THROW(Table(std::vector<Column>{{"a", ""}, {"a", ""}}), Error);
  EXPECT_THROW(Table(std::vector<Column>{{"step", ""}}), Error);
}

TEST(Trajectory, ForeignAndDamagedFilesAreNamed) {
  ScratchFolder folder;
  auto const failure = [&](std::string const& name) {
    return message_of<Error>([&] { Trajectory::load(folder / name); });
  };
  hdf5::publish(folder / "foreign.h5", [](hdf5::File& file) { file.write("x", std::vector{1.0}); });
  EXPECT_NE(failure("foreign.h5").find("foreign.h5: it is not a trajectory"), std::string::npos);
  EXPECT_NE(failure("none.h5").find("none.h5: No such file"), std::string::npos);
  hdf5::publish(folder / "newer.h5", [](hdf5::File& file) {
    file.write_attribute("format_version", std::int64_t{2});
    file.create_group("segments");
    file.create_group("warnings");
  });
  EXPECT_NE(failure("newer.h5").find("newer.h5: its format version is 2"), std::string::npos);
  example(25).publish(folder / "whole.h5");
  auto const bytes = test::slurp(folder / "whole.h5");
  for (std::size_t length = 0; length < bytes.size(); length += 10007) {
    test::spit(folder / "short.h5", bytes.substr(0, length));
    EXPECT_NE(failure("short.h5").find("short.h5"), std::string::npos) << length;
  }
}

TEST(Trajectory, IsWholeAfterSigkillAtAnyMoment) {
  ScratchFolder folder;
  auto const path = folder / "trajectory.h5";
  example(1).publish(path);
  constexpr unsigned seed = 1117;
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> microseconds(0, 60000);
  std::cout << "seed " << seed << ", steps found:";
  std::size_t most = 0;
  for (int trial = 0; trial < 20; ++trial) {
    auto const delay = microseconds(generator);
    pid_t const child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (std::int64_t steps = 100;; steps += 100) example(steps).publish(path);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(delay));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    auto const loaded = Trajectory::load(path);  // which refuses columns of different lengths
    auto const steps = loaded.table("steps").size();
    EXPECT_TRUE(steps == 1 || steps % 100 == 0) << steps;
    most = std::max(most, steps);
    std::cout << ' ' << steps;
  }
  std::cout << '\n';
  EXPECT_GT(most, 1U) << "no writer ever got to publish: nothing was tested";
}

io::Record sharpness_of(std::vector<double> const& eigenvalues) {
  return {{"eigenvalues", eigenvalues},
          {"residuals", eigenvalues},
          {"converged", std::vector<double>(eigenvalues.size(), 1)},
          {"hvps", 3},
          {"solver", 1},
          {"edge", 2.0},
          {"alignment", 0.5},
          {"seconds", 0.25}};
}

TEST(Trajectory, EigenvaluesGrowWithTheWidestRecord) {
  ScratchFolder folder;
  {
    Trajectory trajectory({"", "", Precision::double_precision, 1, 1});
    trajectory.declare("steps", io::step_columns({"loss"}));
    auto& table = trajectory.declare("sharpness", io::sharpness_columns(1));
    table.append(0, sharpness_of({5}));
    table.append(10, sharpness_of({6, 4, 3}));
    table.append(20, sharpness_of({7, 2}));
    trajectory.publish(folder / "trajectory.h5");
  }
  auto loaded = Trajectory::load(folder / "trajectory.h5");
  // A resumed run that wants two, then four.
  auto& table = loaded.declare("sharpness", io::sharpness_columns(2));
  table.append(30, sharpness_of({8, 1}));
  loaded.declare("sharpness", io::sharpness_columns(4));
  auto const& values = table.values("eigenvalues");
  std::vector<double> const wanted{5, -1, -1, -1, 6, 4, 3, -1, 7, 2, -1, -1, 8, 1, -1, -1};
  ASSERT_EQ(values.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < 0) {
      EXPECT_TRUE(std::isnan(values[i])) << i;
    } else {
      EXPECT_EQ(values[i], wanted[i]) << i;
    }
  }
  EXPECT_EQ(table.values("converged")[1], 0);
  EXPECT_NE(message_of<Error>([&] { loaded.declare("sharpness", io::step_columns({"loss"})); }).find("'sharpness'"),
            std::string::npos);
}

}  // namespace
