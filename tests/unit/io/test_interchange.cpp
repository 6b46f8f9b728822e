// Writes one trajectory and one checkpoint for check_files.py, which reads them with h5py.
#include <onedge/io/checkpoint.hpp>
#include <onedge/io/trajectory.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

using namespace onedge;

std::filesystem::path output_folder() {
  char const* const name = std::getenv("ONEDGE_TEST_FOLDER");
  std::filesystem::path const folder = name ? name : "onedge-interchange";
  std::filesystem::create_directories(folder);
  return folder;
}

TEST(Interchange, TrajectoryIsWritten) {
  io::Trajectory trajectory({"run: {name: η}\n", "onedge train deck.yaml", Precision::double_precision, 23, 4096});
  trajectory.set_status(io::Status::finished);
  trajectory.add_segment({0, 2, "serial", "node1,node2", "", "abc", "2024-05-01T12:00:00+00:00", "", "MPI"});
  auto& steps = trajectory.declare("steps", io::step_columns({"loss", "learning_rate", "evaluations"}));
  auto& sharpness = trajectory.declare("sharpness", io::sharpness_columns(2));
  for (int step = 0; step < 5; ++step) {
    steps.append(step, {{"loss", 1.0 / (step + 1)}, {"learning_rate", 0.5}, {"evaluations", 2}});
    if (step % 2 != 0) continue;
    std::vector<double> const eigenvalues{20.0 + step, 10.0};
    sharpness.append(step, {{"eigenvalues", eigenvalues},
                            {"residuals", std::vector{0.1, 0.2}},
                            {"converged", std::vector{1.0, 0.0}},
                            {"hvps", 12},
                            {"solver", 1},
                            {"edge", 2.0},
                            {"alignment", 0.5},
                            {"seconds", 0.25}});
  }
  trajectory.warn(3, "η = 0: no curvature");
  auto const path = output_folder() / "trajectory.h5";
  trajectory.publish(path);
  EXPECT_GT(std::filesystem::file_size(path), 0U);
}

TEST(Interchange, CheckpointIsWritten) {
  io::Checkpoint checkpoint;
  checkpoint.deck = "run: {name: η}\n";
  checkpoint.step = 5;
  checkpoint.precision = Precision::single_precision;
  checkpoint.parameters = {{"dense_0/kernel", {2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5}},
                           {"dense_0/bias", {3}, std::vector<float>{7, 8, 9}}};
  checkpoint.states["optimizer"].vectors["velocity"] = std::vector<float>(9, 0.5F);
  checkpoint.states["tuner"].numbers["learning_rate"] = 0.1;
  EXPECT_TRUE(std::filesystem::exists(io::write_checkpoint(output_folder(), checkpoint)));
}

}  // namespace
