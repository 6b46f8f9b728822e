#include <onedge/core/error.hpp>
#include <onedge/data/source.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace onedge::data {

std::size_t SourceDescription::features() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

std::string to_string(SourceDescription const& description) {
  auto const& shape = description.shape;
  std::string text = description.name + ": samples of ";
  if (description.vocabulary > 0) {
    return text + concat(shape[0], " characters, out of ", description.vocabulary);
  }
  if (shape.size() == 3) {
    text += concat(shape[0], " × ", shape[1], " pixels × ", shape[2], shape[2] == 1 ? " channel" : " channels");
  } else {
    for (std::size_t i = 0; i < shape.size(); ++i) text += concat(i > 0 ? " × " : "", shape[i]);
    text += " values";
  }
  return text + ", " + description.type;
}

std::string Source::label_file(std::size_t) const { return m_description.name; }

std::string Source::sample_name(std::size_t sample) const { return concat(m_description.name, ": sample ", sample); }

std::vector<std::int32_t> Source::read_labels(std::size_t first, std::size_t count) const {
  return read_samples(first, count).labels;
}

void Source::check_range(std::size_t first, std::size_t count) const {
  require_input(first <= m_description.samples && count <= m_description.samples - first, m_description.name,
                ": samples ", first, " to ", first + count, " (exclusive) are asked, but there are ",
                m_description.samples);
}

void Source::check_labels(std::size_t first, std::vector<std::int32_t> const& labels) const {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    auto const label = labels[i];
    std::size_t const sample = first + i / m_description.labels_per_sample;
    require_input(label >= 0 && static_cast<std::size_t>(label) < m_description.classes, label_file(sample), ": label ",
                  label, " of sample ", sample, " is outside 0 to ", m_description.classes - 1);
  }
}

void Source::check_values(std::size_t first, HostSamples const& samples) const {
  auto const odd =
      std::find_if_not(samples.reals.begin(), samples.reals.end(), [](double value) { return std::isfinite(value); });
  if (odd == samples.reals.end()) return;
  auto const sample = first + static_cast<std::size_t>(odd - samples.reals.begin()) / samples.features;
  throw InputError(concat(sample_name(sample), " holds ", std::isnan(*odd) ? "NaN" : "infinity"));
}

HostSamples Source::read(std::size_t first, std::size_t count) const {
  check_range(first, count);
  auto samples = read_samples(first, count);
  samples.count = count;
  samples.features = m_description.features();
  check_labels(first, samples.labels);
  auto const inputs = samples.pixels.size() + samples.reals.size() + samples.tokens.size();
  require(inputs == count * samples.features && samples.labels.size() == count * m_description.labels_per_sample,
          m_description.name, ": read ", inputs, " values and ", samples.labels.size(), " labels for ", count,
          " samples of ", samples.features, " values");
  check_values(first, samples);
  return samples;
}

std::vector<std::int32_t> Source::labels(std::size_t first, std::size_t count) const {
  check_range(first, count);
  auto result = read_labels(first, count);
  check_labels(first, result);
  return result;
}

}  // namespace onedge::data
