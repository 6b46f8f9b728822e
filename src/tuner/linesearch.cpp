#include <onedge/tuner/linesearch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace onedge::tuner {

namespace {
constexpr std::int64_t mini_batch_trials = 30;     // paper, C.3
constexpr double smallest_learning_rate = 1e-300;  // where w is 0 and nothing else ends a search
}  // namespace

void Linesearch::Options::bind(config::Section section) {
  section.bind("c", c, "fraction c of the slope that a step must win: f(w+ηu) ≤ (1+δ)f(w) + cηgᵀu",
               config::non_negative);
  section.bind("increase", increase,
               "each search starts from min(increase·η of the last step, 1); 0.0: infinite, always from 1",
               config::non_negative);
  if (increase > 0.0 && increase < 1.0) section.fail("increase", "must be 0 (infinite) or at least 1");
  section.bind("decrease", decrease, "factor on η after a rejected trial", {0.0, 1.0, true, true});
  section.bind("relative_decrease", relative_decrease, "tolerance δ relative to the loss", config::non_negative);
  section.bind_or_word("trials", trials, "auto", automatic,
                       "most trials in one step, after which the last η is kept; 0: unlimited; auto: unlimited in full "
                       "batch, 30 in mini-batch",
                       config::non_negative);
}

double Linesearch::first_guess(double smallest) const {
  if (m_previous == 0.0 || m_options.increase == 0.0) return 1.0;
  double const guess = std::min(m_options.increase * m_previous, 1.0);
  return guess < smallest ? 1.0 : guess;
}

double Linesearch::search(Line& line) const {
  double const slope = line.slope();
  double const allowed = (1.0 + m_options.relative_decrease) * line.loss();
  if (!std::isfinite(slope) || !std::isfinite(allowed)) return std::numeric_limits<double>::quiet_NaN();
  if (slope >= 0.0) return 0.0;
  std::int64_t limit = m_options.trials;
  if (limit == automatic) limit = line.full_batch() ? 0 : mini_batch_trials;
  double const smallest = std::max(line.smallest_learning_rate(), smallest_learning_rate);
  double learning_rate = first_guess(smallest);
  for (std::int64_t trial = 1; learning_rate >= smallest; ++trial) {
    // A trial loss that is NaN or +∞ fails this comparison; −∞ cannot come from a loss.
    if (line.loss_at(learning_rate) <= allowed + m_options.c * learning_rate * slope) return learning_rate;
    if (trial == limit) return learning_rate;
    learning_rate *= m_options.decrease;
  }
  line.warn("linesearch: no learning rate that moves the weights satisfies the decrease, so it is 0");
  return 0.0;
}

double Linesearch::learning_rate(Line& line) {
  double const learning_rate = search(line);
  if (learning_rate > 0.0) m_previous = learning_rate;
  return learning_rate;
}

}  // namespace onedge::tuner
