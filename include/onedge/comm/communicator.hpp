#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace onedge::comm {

/// A group of ranks. Buffers lie in the memory that the implementation works on (MPI: the host's). Every call is
/// collective, gives the same bits on every rank, and throws Error when the library reports a failure.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// What carries the data: "MPI", "NCCL 2.28.9", …
  virtual std::string name() const = 0;
  /// The same ranks, for buffers in the memory of the default execution space; nullptr where that is the host's. Its
  /// calls take their turn among the kernels of that space's default instance, and may return before they are done.
  virtual Communicator const* device() const { return nullptr; }

  /// In place: every rank ends with the element-wise sum.
  virtual void all_reduce(float* values, std::size_t count) const = 0;
  virtual void all_reduce(double* values, std::size_t count) const = 0;
  virtual void all_reduce(std::int64_t* values, std::size_t count) const = 0;
  /// Begins an all_reduce of what has been computed so far, beside what is computed next; finish_all_reduces() ends all
  /// that were begun. Where overlaps() is false, start_all_reduce() does it at once.
  virtual bool overlaps() const { return false; }
  virtual void start_all_reduce(float* values, std::size_t count) const { all_reduce(values, count); }
  virtual void start_all_reduce(double* values, std::size_t count) const { all_reduce(values, count); }
  virtual void finish_all_reduces() const {}
  /// Rank q receives send[offsets_q …] of every rank, in rank order; counts in elements, one per rank.
  virtual void exchange(float const* send, std::vector<std::size_t> const& send_counts, float* receive,
                        std::vector<std::size_t> const& receive_counts) const = 0;
  virtual void exchange(double const* send, std::vector<std::size_t> const& send_counts, double* receive,
                        std::vector<std::size_t> const& receive_counts) const = 0;
  /// In place: rank r contributes the r-th run of counts[r] elements of `values`, and ends with all of them.
  virtual void all_gather(float* values, std::vector<std::size_t> const& counts) const = 0;
  virtual void all_gather(double* values, std::vector<std::size_t> const& counts) const = 0;

  /// Rank r receives the sum over ranks of the r-th run of counts[r] elements of `send`.
  virtual void reduce_scatter(float const* send, float* receive, std::vector<std::size_t> const& counts) const = 0;
  virtual void reduce_scatter(double const* send, double* receive, std::vector<std::size_t> const& counts) const = 0;

  virtual void broadcast(void* data, std::size_t bytes, int root) const = 0;
  /// The strings of all ranks, in rank order, on every rank.
  virtual std::vector<std::string> gather(std::string const& text) const = 0;
  virtual void barrier() const = 0;
};

}  // namespace onedge::comm
