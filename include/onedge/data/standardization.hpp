#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/data/partition.hpp>
#include <onedge/data/source.hpp>

#include <cstddef>
#include <vector>

namespace onedge::data {

/// input = (x − mean)/deviation, with x the byte of a pixel (0 … 255) or a real value as it was read. Value i of a
/// sample takes the numbers i mod size(): one for each value, or for each channel (channels lie last). Empty: not
/// standardised.
struct Standardization {
  std::vector<double> mean;
  std::vector<double> deviation;

  bool empty() const { return mean.empty(); }
  std::size_t size() const { return mean.size(); }
};

/// Of ImageNet's pixels by channel (red, green, blue), as in Scenic: 255·(0.485, 0.456, 0.406) and 255·(0.229, 0.224,
/// 0.225).
Standardization imagenet_standardization();

/// Mean and deviation (÷N) over the samples of all ranks, of which this rank holds `samples`; `size` is features, or
/// the number of channels. What is constant gets the deviation 1, so that it becomes 0 and not NaN. Collective; blocks
/// are added in one fixed tree: the same bits on every rank and for any number of ranks. InputError when values are so
/// large that their squares overflow.
Standardization measure_standardization(HostSamples const& samples, std::size_t size, BlockPartition const& partition,
                                        comm::Communicator const& communicator);

/// Throws InputError naming the sample unless all inputs are, once standardised, finite numbers in Real. `samples` are
/// those of `source` from sample `first` on.
template <class Real>
void check_inputs(Source const& source, std::size_t first, HostSamples const& samples,
                  Standardization const& standardization);

}  // namespace onedge::data
