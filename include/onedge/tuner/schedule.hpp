#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// η prescribed over the steps t = 0, 1, …, with warm-up W, horizon T, peak p and final rate e (paper, C.3 and C.5):
///   t < W: p·t/W (so a warm-up makes the first step 0); from W to T the shape, with s = (t − W)/(T − W):
///   constant p, linear p + (e − p)s, cosine e + (p − e)·½(1 + cos πs); from T on e, whatever the shape.
/// Asks the line for its step only.
class Schedule : public Tuner {
 public:
  struct Options {
    double peak = 0.0;  // required in decks
    std::string shape = "cosine";
    double warmup = 0.0;         // units, or a fraction of the run when below 1
    double horizon = 0.0;        // units, or a fraction of the run when below 1; 0: the run
    std::string unit = "steps";  // or epochs
    double final_rate = 0.0;
    void bind(config::Section section);
  };

  /// Throws InputError where the warm-up is longer than the horizon.
  Schedule(Options options, RunLength const& run);
  double learning_rate(Line& line) override;
  double at(std::int64_t step) const;

 private:
  Options m_options;
  std::int64_t m_warmup;
  std::int64_t m_horizon;
};

}  // namespace onedge::tuner
