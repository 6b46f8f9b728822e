#pragma once
// What samples are, whatever file they came from and however ranks share them: a run goes on with the samples that it
// began with, and with no others.
#include <onedge/comm/communicator.hpp>
#include <onedge/data/source.hpp>

#include <cstddef>
#include <string>

namespace onedge::data {

/// The fingerprints of the samples that a run uses; empty where there are none, or where nobody has recorded them.
struct Identity {
  std::string train;
  std::string test;
};

/// A line such as "4096 samples of [28, 28, 1] pixels in 10 classes, inputs 0123456789abcdef, labels 0123456789abcdef".
/// Equal where count, shape, inputs (as they are before standardisation) and labels are, in the same order. The two
/// numbers are sums over samples i of a 64-bit hash of i and of the bytes of that sample, modulo 2^64: the same for any
/// number of ranks. `mine`: this rank's samples, which begin with number `first` of `count` in all. Collective.
std::string fingerprint(SourceDescription const& description, HostSamples const& mine, std::size_t first,
                        std::size_t count, comm::Communicator const& communicator);

}  // namespace onedge::data
