#include <onedge/comm/agreement.hpp>
#include <onedge/comm/block_sum.hpp>
#include <onedge/core/error.hpp>
#include <onedge/data/standardization.hpp>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace onedge::data {

namespace {

using Sums = std::vector<double>;

/// Sums over all samples of all ranks of term(index mod size, x), for every residue.
class Summation {
 public:
  Summation(HostSamples const& samples, std::size_t size, BlockPartition const& partition,
            comm::Communicator const& communicator)
      : m_samples(samples),
        m_size(size),
        m_partition(partition),
        m_rank(communicator.rank()),
        m_sum(HostSpace(), communicator, size, first_blocks(partition)) {}

  template <class Term>
  Sums operator()(Term const& term) {
    m_sum.begin();
    std::size_t begin = 0;
    for (std::size_t b = m_partition.first_block(m_rank); b < m_partition.last_block(m_rank); ++b) {
      std::size_t const end = begin + m_partition.block_samples(b) * m_samples.features;
      Sums block(m_size, 0.0);
      for (std::size_t i = begin; i < end; i += m_size) {
        for (std::size_t j = 0; j < m_size; ++j) block[j] += term(j, value(i + j));
      }
      m_sum.add(VectorWindow<double const, HostSpace>(block.data(), m_size));
      begin = end;
    }
    Sums result(m_size);
    m_sum.finish(VectorWindow<double, HostSpace>(result.data(), m_size));
    return result;
  }

 private:
  static std::vector<std::size_t> first_blocks(BlockPartition const& partition) {
    std::vector<std::size_t> result;
    for (int r = 0; r <= partition.ranks(); ++r) result.push_back(partition.first_block(r));
    return result;
  }
  double value(std::size_t i) const { return m_samples.pixels.empty() ? m_samples.reals[i] : m_samples.pixels[i]; }

  HostSamples const& m_samples;
  std::size_t m_size;
  BlockPartition const& m_partition;
  int m_rank;
  comm::BlockSum<double, HostSpace> m_sum;
};

}  // namespace

Standardization imagenet_standardization() {
  Standardization result{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  for (double& mean : result.mean) mean *= 255;
  for (double& deviation : result.deviation) deviation *= 255;
  return result;
}

Standardization measure_standardization(HostSamples const& samples, std::size_t size, BlockPartition const& partition,
                                        comm::Communicator const& communicator) {
  require(samples.count == partition.sample_count(communicator.rank()) && size > 0 && samples.features % size == 0,
          "standardisation of ", samples.count, " samples of ", samples.features, " values by ", size);
  // Around the first sample of all, so that the variance of what is constant comes out as 0 exactly.
  Sums origin(size);
  for (std::size_t j = 0; j < size; ++j) {
    origin[j] = samples.pixels.empty() ? samples.reals[j] : samples.pixels[j];
  }
  communicator.broadcast(origin.data(), size * sizeof(double), 0);
  std::size_t const values = partition.samples() * (samples.features / size);
  auto const count = static_cast<double>(values);
  Summation sum(samples, size, partition, communicator);
  Standardization result{sum([&](std::size_t j, double x) { return x - origin[j]; }), {}};
  for (std::size_t j = 0; j < size; ++j) result.mean[j] = origin[j] + result.mean[j] / count;
  result.deviation = sum([&](std::size_t j, double x) { return (x - result.mean[j]) * (x - result.mean[j]); });
  for (double& squares : result.deviation) squares = squares > 0 ? std::sqrt(squares / count) : 1.0;
  comm::agree(communicator, [&] {
    bool const is_finite = std::all_of(result.deviation.begin(), result.deviation.end(),
                                       [](double deviation) { return std::isfinite(deviation); });
    require_input(is_finite, "data.standardize: the values are so large that their squares overflow");
  });
  return result;
}

template <class Real>
void check_inputs(Source const& source, std::size_t first, HostSamples const& samples,
                  Standardization const& standardization) {
  for (std::size_t i = 0; i < samples.reals.size(); ++i) {
    double input = samples.reals[i];
    if (!standardization.empty()) {
      std::size_t const j = i % samples.features % standardization.size();
      input = (input - standardization.mean[j]) / standardization.deviation[j];
    }
    require_input(std::isfinite(static_cast<Real>(input)), source.sample_name(first + i / samples.features), " holds ",
                  samples.reals[i], standardization.empty() ? "," : ", which once standardised is",
                  std::is_same_v<Real, float> ? " beyond single precision; run.precision: double reaches further"
                                              : " beyond double precision");
  }
}

template void check_inputs<float>(Source const&, std::size_t, HostSamples const&, Standardization const&);
template void check_inputs<double>(Source const&, std::size_t, HostSamples const&, Standardization const&);

}  // namespace onedge::data
