#include <onedge/core/error.hpp>
#include <onedge/tuner/schedule.hpp>

#include <cmath>
#include <numbers>
#include <utility>

namespace onedge::tuner {

namespace {

/// A fraction of the run below 1, else a whole number of units.
std::int64_t to_steps(double value, RunLength const& run, std::string const& unit) {
  if (value < 1.0) return std::llround(value * static_cast<double>(run.steps));
  return std::llround(value) * (unit == "epochs" ? run.steps_per_epoch : 1);
}

void check_whole(config::Section const& section, char const* key, double value) {
  if (value >= 1.0 && value != std::floor(value)) {
    section.fail(
        key, concat("is ", value, "; expected a fraction of the run below 1 or a whole number of steps (or epochs)"));
  }
}

}  // namespace

void Schedule::Options::bind(config::Section section) {
  section.require("peak", peak, "learning rate at the end of the warm-up", config::non_negative);
  section.choose("shape", shape, {"constant", "linear", "cosine"}, "course from the warm-up to the horizon");
  section.bind("warmup", warmup,
               "length of the linear warm-up from 0: a fraction of the run when below 1, else a number of steps",
               config::non_negative);
  section.bind("horizon", horizon,
               "end of the shape: a fraction of the run when below 1, else a number of steps; 0.0: the end of the run",
               config::non_negative);
  section.choose("unit", unit, {"steps", "epochs"},
                 "what numbers of 1 and more count in warmup and horizon; in full batch an epoch is a step");
  section.bind("final", final_rate, "learning rate from the horizon on, where linear and cosine decay to",
               config::non_negative);
  check_whole(section, "warmup", warmup);
  check_whole(section, "horizon", horizon);
}

Schedule::Schedule(Options options, RunLength const& run)
    : m_options(std::move(options)),
      m_warmup(to_steps(m_options.warmup, run, m_options.unit)),
      m_horizon(m_options.horizon == 0.0 ? run.steps : to_steps(m_options.horizon, run, m_options.unit)) {
  require_input(m_warmup <= m_horizon, "tuner.warmup is ", m_warmup, " steps, longer than tuner.horizon, ", m_horizon,
                " steps");
}

double Schedule::at(std::int64_t step) const {
  if (step >= m_horizon) return m_options.final_rate;
  if (step < m_warmup) return m_options.peak * static_cast<double>(step) / static_cast<double>(m_warmup);
  double const fraction = static_cast<double>(step - m_warmup) / static_cast<double>(m_horizon - m_warmup);
  double const drop = m_options.peak - m_options.final_rate;
  if (m_options.shape == "linear") return m_options.final_rate + drop * (1.0 - fraction);
  if (m_options.shape == "cosine") {
    return m_options.final_rate + drop * 0.5 * (1.0 + std::cos(std::numbers::pi * fraction));
  }
  return m_options.peak;
}

double Schedule::learning_rate(Line& line) { return at(line.step()); }

}  // namespace onedge::tuner
