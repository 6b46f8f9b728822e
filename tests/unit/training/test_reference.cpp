// Real steps (objective, optimizer, line, tuner) in double against an independent implementation: the 50 runs of 50
// steps and the objectives of tests/reference/values.h5, written by JAX and Optax
// (tests/reference/reference_values.py). Teacher-forced: at each step our weights are the reference's. Free: they are
// our own, from the same start.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "real_line.hpp"

namespace onedge::training::test {
namespace {

/// The recorded run of one case.
class Recording {
 public:
  explicit Recording(hdf5::Group const& group)
      : m_weights(group.read<double>("weights")),
        m_rows(group.read<double>("steps")),
        m_offsets(group.read<std::int64_t>("trial_offsets")) {
    std::istringstream names(group.dataset("steps").attribute<std::string>("columns"));
    for (std::string name; names >> name;) m_columns.push_back(name);
    m_parameters = group.dataset("weights").shape().at(1);
  }
  std::int64_t steps() const { return static_cast<std::int64_t>(m_rows.size() / m_columns.size()); }
  double at(std::int64_t step, char const* name) const {
    auto const column = std::find(m_columns.begin(), m_columns.end(), name) - m_columns.begin();
    return m_rows.at(static_cast<std::size_t>(step) * m_columns.size() + static_cast<std::size_t>(column));
  }
  double const* weights(std::int64_t step) const {
    return &m_weights.at(static_cast<std::size_t>(step) * m_parameters);
  }
  std::int64_t trials(std::int64_t step) const {
    auto const t = static_cast<std::size_t>(step);
    return m_offsets.at(t + 1) - m_offsets.at(t);
  }

 private:
  std::vector<double> m_weights, m_rows;
  std::vector<std::int64_t> m_offsets;
  std::vector<std::string> m_columns;
  std::size_t m_parameters = 0;
};

/// ‖a − b‖ / ‖b‖.
double distance(std::vector<double> const& a, std::vector<double> const& b) {
  double difference = 0, scale = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    scale += b[i] * b[i];
  }
  return std::sqrt(difference / scale);
}

void expect_close(double actual, double expected, double tolerance, char const* what) {
  EXPECT_NEAR(actual, expected, tolerance * std::abs(expected)) << what;
}

/// Calls work(name, group, recording) for each of the 50 cases.
template <class Work>
void for_each_case(Work const& work) {
  auto const file = values();
  auto const cases = file.group("cases");
  ASSERT_EQ(cases.names().size(), 50u);
  for (auto const& name : cases.names()) {
    SCOPED_TRACE(name);
    auto const group = cases.group(name);
    work(group, Recording(group));
  }
}

RealObjective recorded_objective() {
  auto const file = values();
  return {file.attribute<std::string>("model"), file.attribute<std::string>("loss")};
}

/// Polyak's gap f − f* of a converged run is rounding of f.
double rounding_of_rate(Recording const& recording, std::int64_t t, bool polyak) {
  double const norm = recording.at(t, "gradient_norm");
  return polyak ? 1e-15 * recording.at(t, "loss") / (norm * norm) : 0.0;
}

void expect_line(ObjectiveLine<double, Space>& line, Recording const& recording, std::int64_t t) {
  constexpr double tolerance = 1e-10;
  expect_close(line.loss(), recording.at(t, "loss"), tolerance, "loss");
  expect_close(line.slope(), recording.at(t, "slope"), tolerance, "slope");
  expect_close(line.gradient_norm(), recording.at(t, "gradient_norm"), tolerance, "gradient norm");
  expect_close(line.update_norm(), recording.at(t, "update_norm"), tolerance, "update norm");
  EXPECT_EQ(line.has_previous(), t > 0);
  double const scale = line.gradient_norm() * line.previous_update_norm();
  EXPECT_NEAR(line.previous_slope(), recording.at(t, "previous_slope"), tolerance * scale);
  expect_close(line.previous_update_norm(), recording.at(t, "previous_update_norm"), tolerance, "previous norm");
  // uᵀHu and uᵀGu, whether the tuner asked for them or not; where the two parts of uᵀHu cancel, relative to the parts.
  double const curvature = recording.at(t, "curvature"), gauss_newton = recording.at(t, "gauss_newton");
  EXPECT_NEAR(line.curvature(), curvature, tolerance * std::max(std::abs(curvature), 0.01 * gauss_newton));
  expect_close(line.gauss_newton_curvature(), gauss_newton, tolerance, "gauss_newton");
}

TEST(Reference, TeacherForcedStepsAgree) {
  auto objective = recorded_objective();
  for_each_case([&](hdf5::Group const& group, Recording const& recording) {
    ASSERT_EQ(recording.steps(), 50);
    bool const polyak = group.attribute<std::string>("tuner").find("polyak") != std::string::npos;
    RealSteps steps(objective, group.attribute<std::string>("optimizer"), group.attribute<std::string>("tuner"), 50);
    for (std::int64_t t = 0; t < 50; ++t) {
      SCOPED_TRACE("step " + std::to_string(t));
      std::int64_t const losses = objective->counts().losses;
      double const learning_rate = steps.step(objective.from_file(recording.weights(t)));
      EXPECT_EQ(objective->counts().losses - losses, recording.trials(t));
      double const expected = recording.at(t, "learning_rate");
      EXPECT_NEAR(learning_rate, expected, 1e-10 * expected + rounding_of_rate(recording, t, polyak));
      EXPECT_LT(distance(steps.next(learning_rate), objective.from_file(recording.weights(t + 1))), 1e-10);
      expect_line(steps.line(), recording, t);
    }
  });
}

TEST(Reference, FreeRunsAgreeForTenSteps) {
  auto objective = recorded_objective();
  for_each_case([&](hdf5::Group const& group, Recording const& recording) {
    RealSteps steps(objective, group.attribute<std::string>("optimizer"), group.attribute<std::string>("tuner"), 50);
    auto weights = objective.initial();
    EXPECT_EQ(weights, objective.from_file(recording.weights(0)));
    for (std::int64_t t = 0; t < 10; ++t) {
      SCOPED_TRACE("step " + std::to_string(t));
      double const learning_rate = steps.step(weights);
      expect_close(learning_rate, recording.at(t, "learning_rate"), 1e-8, "learning rate");
      expect_close(steps.line().loss(), recording.at(t, "loss"), 1e-8, "loss");
      weights = steps.next(learning_rate);
      EXPECT_LT(distance(weights, objective.from_file(recording.weights(t + 1))), 1e-8);
    }
  });
}

void check_objective(hdf5::Group const& group, std::string const& activation, std::string const& loss,
                     std::size_t micro_batch) {
  constexpr double tolerance = 1e-12;
  RealObjective objective("{hidden: [5, 4], activation: " + activation + "}",
                          "{kind: " + loss + ", weight_decay: 0.001}", micro_batch);
  std::size_t const count = objective->parameters();
  auto const scalar = [&](char const* name) { return group.read<double>(name).at(0); };
  auto const vector = [&](char const* name) { return objective.from_file(group.read<double>(name).data()); };
  Vector<double, Space> w("onedge::test::w", count), u("onedge::test::u", count), g("onedge::test::g", count);
  Vector<double, Space> product("onedge::test::product", count);
  assign(w, objective.initial());
  assign(u, vector("direction"));
  objective->set_point(w);
  expect_close(objective->gradient(g).loss, scalar("loss"), tolerance, "loss");
  EXPECT_LT(distance(to_host(g), vector("gradient")), tolerance);
  linalg::InnerProducts<double, Space> inner_products{Space()};
  expect_close(inner_products({{g, u}}).at(0), scalar("slope"), 1e-11, "slope");
  expect_close(objective->curvature(u), scalar("curvature"), 1e-11, "curvature");
  expect_close(objective->gauss_newton_curvature(u), scalar("gauss_newton"), tolerance, "gauss_newton");
  MatrixWindow<double const, Space> const directions(u.data(), 1, count);
  MatrixWindow<double, Space> const results(product.data(), 1, count);
  objective->product(directions, results);
  EXPECT_LT(distance(to_host(product), vector("hessian_vector")), tolerance);
  objective->product(directions, results, true);
  expect_close(inner_products({{product, u}}).at(0), scalar("gauss_newton"), tolerance, "u.Gu");
}

TEST(Reference, ObjectivesAgreeForEveryActivationAndLoss) {
  auto const file = values();
  auto const objectives = file.group("objectives");
  int checked = 0;
  for (auto const& activation : {"relu", "tanh", "gelu", "gelu_erf", "elu"}) {
    for (auto const& [name, kind] : {std::pair{"cross_entropy", "cross_entropy"}, {"squared", "squared_error"}}) {
      SCOPED_TRACE(std::string(activation) + " " + name);
      auto const group = objectives.group(std::string(activation) + "_" + name);
      check_objective(group, activation, kind, 0);
      check_objective(group, activation, kind, 2 * RealObjective::block);
      ++checked;
    }
  }
  EXPECT_EQ(checked, static_cast<int>(objectives.names().size()));
}

}  // namespace
}  // namespace onedge::training::test
