// A part of another source: the samples of some classes, so many of each.
#include <onedge/core/error.hpp>

#include <algorithm>

#include "sources.hpp"

namespace onedge::data {

namespace {

class LabelSelection : public Source {
 public:
  LabelSelection(SourceDescription description, std::unique_ptr<Source> whole, std::vector<std::size_t> samples,
                 std::vector<std::int64_t> labels)
      : Source(std::move(description)),
        m_whole(std::move(whole)),
        m_samples(std::move(samples)),
        m_labels(std::move(labels)) {}

  Warnings warnings() const override { return m_whole->warnings(); }
  std::string sample_name(std::size_t sample) const override { return m_whole->sample_name(m_samples[sample]); }

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    HostSamples result;
    std::size_t last = first;
    for (std::size_t i = first; i < first + count; i = last) {
      last = end_of_run(i, first + count);
      append(i, last, read_unchecked(*m_whole, m_samples[i], m_samples[last - 1] + 1 - m_samples[i]), result);
    }
    return result;
  }

  /// Samples i … end are read from the whole in one go: what lies between them is little, or cheap.
  std::size_t end_of_run(std::size_t i, std::size_t end) const {
    std::size_t const largest_gap = m_whole->is_costly() ? 1 : 64;
    constexpr std::size_t largest_run = 16384;
    std::size_t next = i + 1;
    while (next < end && m_samples[next] - m_samples[next - 1] <= largest_gap &&
           m_samples[next] - m_samples[i] < largest_run) {
      ++next;
    }
    return next;
  }

  /// Takes the samples i … end−1 out of a run of the whole that begins with sample i.
  void append(std::size_t i, std::size_t end, HostSamples const& run, HostSamples& result) const {
    auto const features = description().features();
    auto const take = [&](auto const& from, auto& to, std::size_t sample) {
      if (from.empty()) return;
      auto const begin = from.begin() + static_cast<std::ptrdiff_t>(sample * features);
      to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(features));
    };
    result.scale = run.scale;
    for (std::size_t k = i; k < end; ++k) {
      std::size_t const sample = m_samples[k] - m_samples[i];
      take(run.pixels, result.pixels, sample);
      take(run.reals, result.reals, sample);
      result.labels.push_back(new_label(run.labels[sample]));
    }
  }

  std::int32_t new_label(std::int32_t label) const {
    if (m_labels.empty()) return label;
    return static_cast<std::int32_t>(std::find(m_labels.begin(), m_labels.end(), label) - m_labels.begin());
  }

  std::unique_ptr<Source> m_whole;
  std::vector<std::size_t> m_samples;  // of the whole, increasing
  std::vector<std::int64_t> m_labels;
};

/// The samples to keep. Reads no further than the last of them.
std::vector<std::size_t> find_samples(Source const& source, std::vector<std::int64_t> const& labels,
                                      std::size_t per_label) {
  constexpr std::size_t at_once = 4096;
  auto const total = source.description().samples;
  std::vector<std::size_t> room(source.description().classes, labels.empty() ? per_label : 0);
  for (auto const label : labels) room[static_cast<std::size_t>(label)] = per_label;
  std::vector<std::size_t> result;
  auto const is_full = [&] {
    return std::all_of(room.begin(), room.end(), [](std::size_t left) { return left == 0; });
  };
  for (std::size_t first = 0; first < total && !is_full(); first += at_once) {
    auto const found = source.labels(first, std::min(at_once, total - first));
    for (std::size_t i = 0; i < found.size(); ++i) {
      auto& left = room[static_cast<std::size_t>(found[i])];
      if (left == 0) continue;
      --left;
      result.push_back(first + i);
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<Source> select_labels(std::unique_ptr<Source> source, std::vector<std::int64_t> labels,
                                      std::size_t per_label) {
  auto description = source->description();
  for (auto const label : labels) {
    require_input(static_cast<std::size_t>(label) < description.classes, "data.labels: ", label, " is no label of ",
                  description.name, ", whose labels are 0 to ", description.classes - 1);
  }
  auto samples = find_samples(*source, labels, per_label);
  require_input(!samples.empty(), "data.labels: ", description.name, " has no sample of these labels");
  description.samples = samples.size();
  if (!labels.empty()) description.classes = labels.size();
  return std::make_unique<LabelSelection>(std::move(description), std::move(source), std::move(samples),
                                          std::move(labels));
}

}  // namespace onedge::data
