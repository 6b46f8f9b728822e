#pragma once
#include <onedge/tuner/tuner.hpp>

namespace onedge::tuner {

/// The same η at every step. Asks the line for nothing.
class Constant : public Tuner {
 public:
  struct Options {
    double learning_rate = 0.0;  // required in decks
    void bind(config::Section section);
  };

  explicit Constant(Options options) : m_options(options) {}
  double learning_rate(Line&) override { return m_options.learning_rate; }

 private:
  Options m_options;
};

}  // namespace onedge::tuner
