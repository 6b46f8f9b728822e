// Every tuner with every optimizer over 50 steps against an independent implementation: from the recorded lines
// (tests/reference/values.h5, written by tuner_reference.py) the same learning rates.
#include <onedge/hdf5/file.hpp>
#include <onedge/tuner/tuner.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "fake_line.hpp"

namespace onedge::tuner {
namespace {

hdf5::File values() { return hdf5::File::open(ONEDGE_SOURCE_DIR "/tests/reference/values.h5"); }

std::unique_ptr<Tuner> tuner_of(std::string const& text, std::int64_t steps) {
  auto const deck = config::Deck::from_text("tuner: " + text, "values.h5");
  auto const config = TunerConfig::bind(deck.root().section("tuner"));
  deck.check_all_known();
  return make_tuner(config, {steps});
}

/// The recorded steps of one case.
class Recording {
 public:
  explicit Recording(hdf5::Group const& group)
      : m_rows(group.read<double>("steps")),
        m_offsets(group.read<std::int64_t>("trial_offsets")),
        m_trials(group.read<double>("trials")) {
    std::istringstream names(group.dataset("steps").attribute<std::string>("columns"));
    for (std::string name; names >> name;) m_columns.push_back(name);
  }

  std::int64_t steps() const { return static_cast<std::int64_t>(m_rows.size() / m_columns.size()); }

  double at(std::int64_t step, char const* name) const {
    auto const column = std::find(m_columns.begin(), m_columns.end(), name) - m_columns.begin();
    return m_rows.at(static_cast<std::size_t>(step) * m_columns.size() + static_cast<std::size_t>(column));
  }

  /// The recorded f(w + ηu); a rate that the reference did not try is a failure.
  double loss_at(std::int64_t step, double learning_rate) const {
    auto const t = static_cast<std::size_t>(step);
    for (auto row = m_offsets.at(t); row < m_offsets.at(t + 1); ++row) {
      auto const k = static_cast<std::size_t>(2 * row);
      if (std::abs(m_trials.at(k) - learning_rate) <= 1e-12 * learning_rate) return m_trials.at(k + 1);
    }
    ADD_FAILURE() << "step " << step << ": the reference did not try " << learning_rate;
    return 0.0;
  }

  void set(FakeLine& line, std::int64_t step) const {
    line.m_step = step;
    line.m_loss = at(step, "loss");
    line.m_slope = at(step, "slope");
    line.m_curvature = at(step, "curvature");
    line.m_gauss_newton = at(step, "gauss_newton");
    line.m_gradient_norm = at(step, "gradient_norm");
    line.m_update_norm = at(step, "update_norm");
    line.m_has_previous = step > 0;
    line.m_previous_slope = at(step, "previous_slope");
    line.m_previous_update_norm = at(step, "previous_update_norm");
    line.m_phi = [this, step](double learning_rate) { return loss_at(step, learning_rate); };
  }

  std::int64_t trials(std::int64_t step) const {
    auto const t = static_cast<std::size_t>(step);
    return m_offsets.at(t + 1) - m_offsets.at(t);
  }

 private:
  std::vector<double> m_rows;
  std::vector<std::int64_t> m_offsets;
  std::vector<double> m_trials;
  std::vector<std::string> m_columns;
};

TEST(Reference, EveryTunerWithEveryOptimizerGivesTheSameLearningRates) {
  auto const file = values();
  auto const cases = file.group("cases");
  auto const names = cases.names();
  ASSERT_EQ(names.size(), 50u);
  for (auto const& name : names) {
    SCOPED_TRACE(name);
    auto const group = cases.group(name);
    Recording const recording(group);
    auto const text = group.attribute<std::string>("tuner");
    auto tuner = tuner_of(text, recording.steps());
    ASSERT_EQ(recording.steps(), 50);
    for (std::int64_t t = 0; t < recording.steps(); ++t) {
      FakeLine line;
      recording.set(line, t);
      double const expected = recording.at(t, "learning_rate");
      bool const announced = tuner->needs_curvature(t);
      EXPECT_NEAR(tuner->learning_rate(line), expected, 1e-12 * std::abs(expected)) << "step " << t;
      EXPECT_EQ(line.asked.loss_at, recording.trials(t)) << "step " << t;
      EXPECT_EQ(line.asked.curvature + line.asked.gauss_newton, announced ? 1 : 0) << "step " << t;
      if (t == 25) {
        auto const state = tuner->state();
        tuner = tuner_of(text, recording.steps());
        tuner->restore(state);
      }
    }
  }
}

}  // namespace
}  // namespace onedge::tuner
