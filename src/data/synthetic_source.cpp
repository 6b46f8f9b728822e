// Gaussian inputs x, labelled by argmax of a random teacher network, tanh(xA)B. Everything is a function of the seed
// and the sample's index, so that any rank makes any sample alone.
#include <onedge/core/random.hpp>

#include <algorithm>
#include <cmath>

#include "sources.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t hidden = 32;

class SyntheticSource : public Source {
 public:
  SyntheticSource(SyntheticShape const& shape, std::uint64_t seed, Split split)
      : Source({"synthetic", shape.samples, {shape.features}, shape.classes, 1, 0, "float64"}),
        m_inputs(seed, split == Split::train ? streams::synthetic_train : streams::synthetic_test),
        m_first(shape.features * hidden),
        m_second(hidden * shape.classes) {
    RandomStream const first(seed, streams::teacher_first);
    RandomStream const second(seed, streams::teacher_second);
    auto const scale = 1.0 / std::sqrt(static_cast<double>(shape.features));
    for (std::size_t i = 0; i < m_first.size(); ++i) m_first[i] = scale * first.normal(i);
    for (std::size_t i = 0; i < m_second.size(); ++i) m_second[i] = second.normal(i);
  }

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    auto const features = description().features();
    HostSamples samples;
    samples.reals.resize(count * features);
    samples.labels.resize(count);
    for (std::size_t i = 0; i < samples.reals.size(); ++i) samples.reals[i] = m_inputs.normal(first * features + i);
    for (std::size_t i = 0; i < count; ++i) samples.labels[i] = label(&samples.reals[i * features]);
    return samples;
  }

  std::int32_t label(double const* x) const {
    auto const features = description().features();
    auto const classes = description().classes;
    std::vector<double> scores(classes, 0.0);
    for (std::size_t j = 0; j < hidden; ++j) {
      double sum = 0.0;
      for (std::size_t i = 0; i < features; ++i) sum += x[i] * m_first[i * hidden + j];
      for (std::size_t k = 0; k < classes; ++k) scores[k] += std::tanh(sum) * m_second[j * classes + k];
    }
    return static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }

  RandomStream m_inputs;
  std::vector<double> m_first;   // A [features, hidden]
  std::vector<double> m_second;  // B [hidden, classes]
};

}  // namespace

std::unique_ptr<Source> make_synthetic(SyntheticShape const& shape, std::uint64_t seed, Split split) {
  return std::make_unique<SyntheticSource>(shape, seed, split);
}

}  // namespace onedge::data
