#include "same_weights.hpp"

#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>

#include <bit>
#include <type_traits>

namespace onedge::training {

namespace {

/// FNV-1a (Fowler, Noll, Vo) over the values' bits, with a rotation so that high bits reach low ones.
template <class Real>
std::uint64_t checksum(std::vector<Real> const& values) {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t sum = 0xcbf29ce484222325;
  for (Real const value : values) sum = (std::rotl(sum, 29) ^ std::bit_cast<Bits>(value)) * 0x100000001b3;
  return sum;
}

}  // namespace

template <class Real>
void require_same_weights(comm::Communicator const& communicator, std::vector<Real> const& weights, std::int64_t step) {
  if (communicator.size() == 1) return;
  auto const sums = communicator.gather(std::to_string(checksum(weights)));
  std::string others;
  for (std::size_t rank = 1; rank < sums.size(); ++rank) {
    if (sums[rank] != sums[0]) others += concat(others.empty() ? "" : ", ", rank);
  }
  if (others.empty()) return;
  throw comm::SharedError(concat("ranks have parted ways: after ", step, " steps the weights of rank(s) ", others,
                                 " are not those of rank 0; an earlier checkpoint is sound. Unlike processors or "
                                 "libraries among the ranks (see /segments) can be the reason, or faulty memory"),
                          false);
}

template void require_same_weights(comm::Communicator const&, std::vector<float> const&, std::int64_t);
template void require_same_weights(comm::Communicator const&, std::vector<double> const&, std::int64_t);

}  // namespace onedge::training
