#include <onedge/comm/agreement.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/spectrum/vector_pool.hpp>

#include <algorithm>

#include "vector_kernels.hpp"

namespace onedge::spectrum {

using Kind = VectorTask::Kind;

namespace {

/// Two columns of a draw whose names mean one stream (one draw in some millions) would be equal: the later gets
/// another.
RandomStream stream_of_column(std::uint64_t seed, std::uint64_t draw, std::size_t j) {
  auto const name = [&](std::size_t column) { return concat("spectrum ", draw, " ", column); };
  for (std::size_t i = 0; i < j; ++i) {
    if (RandomStream::number(name(i)) == RandomStream::number(name(j))) return {seed, name(j) + " again"};
  }
  return {seed, name(j)};
}

}  // namespace

template <class Real, class Space>
std::shared_ptr<typename VectorPool<Real, Space>::Slot> VectorPool<Real, Space>::add(Slots& slots,
                                                                                     std::int64_t number) {
  slots.push_back(
      std::make_shared<Slot>(Slot{number, Vector<Real, Space>("onedge::VectorPool::vector", m_layout.local())}));
  return slots.back();
}

template <class Real, class Space>
std::shared_ptr<typename VectorPool<Real, Space>::Slot> VectorPool<Real, Space>::take() {
  Slots& slots = m_is_directed ? m_directed : m_shared;
  auto const free = std::find_if(slots.begin(), slots.end(), [](auto const& slot) { return slot.use_count() == 1; });
  if (free != slots.end()) return *free;
  auto const count = static_cast<std::int64_t>(slots.size());
  return add(slots, m_is_directed ? -1 - count : count);
}

template <class Real, class Space>
std::shared_ptr<typename VectorPool<Real, Space>::Slot> VectorPool<Real, Space>::slot(std::int64_t number) {
  if (number >= 0) return m_shared.at(static_cast<std::size_t>(number));
  while (static_cast<std::int64_t>(m_directed.size()) < -number) {
    add(m_directed, -1 - static_cast<std::int64_t>(m_directed.size()));
  }
  return m_directed[static_cast<std::size_t>(-1 - number)];
}

template <class Real, class Space>
void VectorPool<Real, Space>::announce(VectorTask const& task) const {
  auto const& communicator = m_layout.communicator();
  if (communicator.size() == 1) return;
  auto message = task.encoded();
  auto size = static_cast<std::int64_t>(message.size());
  communicator.broadcast(&size, sizeof size, 0);
  communicator.broadcast(message.data(), message.size() * sizeof message.front(), 0);
}

template <class Real, class Space>
VectorTask VectorPool<Real, Space>::await() const {
  auto const& communicator = m_layout.communicator();
  std::int64_t size = 0;
  communicator.broadcast(&size, sizeof size, 0);
  std::vector<std::int64_t> message(static_cast<std::size_t>(size));
  communicator.broadcast(message.data(), message.size() * sizeof message.front(), 0);
  return VectorTask::decoded(message);
}

template <class Real, class Space>
std::vector<VectorWindow<Real, Space>> VectorPool<Real, Space>::windows(std::vector<std::int64_t> const& numbers) {
  std::vector<VectorWindow<Real, Space>> result;
  for (auto const number : numbers) {
    auto const& values = slot(number)->values;
    result.emplace_back(values.data(), values.extent(0));
  }
  return result;
}

template <class Real, class Space>
std::vector<double> VectorPool<Real, Space>::perform(VectorTask const& task) {
  if (m_is_directed && m_layout.communicator().rank() == 0) announce(task);
  --m_allowed;
  auto const target = windows(task.target), a = windows(task.a), b = windows(task.b);
  switch (task.kind) {
    case Kind::multiply_add:
      multiply_add<Real, Space>(target, a, task.numbers);
      break;
    case Kind::combine:
      combine<Real, Space>(target, task.numbers[0], a, task.numbers[1], b);
      break;
    case Kind::scale:
      scale<Real, Space>(target, task.numbers);
      break;
    case Kind::multiply_elements:
      multiply_elements<Real, Space>(target, a.front());
      break;
    case Kind::fill:
      for (auto const& column : target) Kokkos::deep_copy(Space(), column, static_cast<Real>(task.numbers[0]));
      break;
    case Kind::copy:
      for (std::size_t j = 0; j < target.size(); ++j) Kokkos::deep_copy(Space(), target[j], a[j]);
      break;
    case Kind::randomise:
      randomise(task);
      break;
    case Kind::randomise_signs:
      randomise_signs(task);
      break;
    case Kind::inner_products:
    case Kind::dots:
      return inner_products(task);
    case Kind::apply:
    case Kind::end:
      throw Error("a pool of vectors knows no operator");
  }
  return {};
}

// Reproducible: every chunk's sum goes to its own place in one allreduce of otherwise zeros, and everybody adds them in
// the same tree. What rank 0 then has holds for all.
template <class Real, class Space>
std::vector<double> VectorPool<Real, Space>::inner_products(VectorTask const& task) {
  std::vector<std::pair<Operand, Operand>> pairs;
  auto const a = windows(task.a), b = windows(task.b);
  if (task.kind == Kind::dots) {
    for (std::size_t j = 0; j < b.size(); ++j) pairs.emplace_back(a[j], b[j]);
  } else {
    for (auto const& right : b)  // neighbours with one right factor are summed together
      for (auto const& left : a) pairs.emplace_back(left, right);
  }
  if (pairs.empty()) return {};
  auto const& communicator = m_layout.communicator();
  bool const has_slice = m_layout.local() > 0;
  std::vector<double> result(pairs.size(), 0.0);
  if (!m_reproducible || communicator.size() == 1) {
    if (has_slice) result = m_inner_products(pairs);
    if (communicator.size() > 1) communicator.all_reduce(result.data(), result.size());
  } else {
    std::size_t const chunks = m_layout.chunks();
    std::vector<double> all(pairs.size() * chunks, 0.0);
    auto const sums = has_slice ? m_inner_products.chunk_sums(pairs) : std::vector<double>();
    auto const mine = static_cast<std::ptrdiff_t>(sums.size() / pairs.size());
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      std::copy_n(sums.begin() + static_cast<std::ptrdiff_t>(pair) * mine, mine,
                  all.begin() + static_cast<std::ptrdiff_t>(pair * chunks + m_layout.first_chunk()));
    }
    communicator.all_reduce(all.data(), all.size());
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
      auto const begin = all.begin() + static_cast<std::ptrdiff_t>(pair * chunks);
      result[pair] = linalg::tree_sum({begin, begin + static_cast<std::ptrdiff_t>(chunks)});
    }
  }
  if (!m_is_directed) comm::share_rank_0(communicator, result);
  if (task.kind == Kind::dots) return result;
  std::vector<double> matrix(result.size());
  for (std::size_t j = 0; j < b.size(); ++j)
    for (std::size_t i = 0; i < a.size(); ++i) matrix[i * b.size() + j] = result[j * a.size() + i];
  return matrix;
}

template <class Real, class Space>
void VectorPool<Real, Space>::randomise(VectorTask const& task) {
  auto const target = windows(task.target);
  for (std::size_t j = 0; j < target.size(); ++j) {
    RandomStream const random = stream_of_column(task.seed, task.draw, j);
    auto const target_host = Kokkos::create_mirror_view(target[j]);
    for (std::size_t i = 0; i < m_layout.local(); ++i) {
      target_host(i) = static_cast<Real>(random.normal(m_layout.first() + i));
    }
    Kokkos::deep_copy(target[j], target_host);
  }
}

template <class Real, class Space>
void VectorPool<Real, Space>::randomise_signs(VectorTask const& task) {
  // Slices begin on multiples of a chunk, hence of a word.
  std::size_t const first = m_layout.first() / signs_per_word;
  std::size_t const words = (m_layout.local() + signs_per_word - 1) / signs_per_word;
  auto const bits = uninitialised<Vector<std::uint64_t, Space>>("onedge::VectorPool::bits", words);
  auto const bits_host = Kokkos::create_mirror_view(bits);
  auto const target = windows(task.target);
  for (std::size_t j = 0; j < target.size(); ++j) {
    RandomStream const random = stream_of_column(task.seed, task.draw, j);
    for (std::size_t i = 0; i < words; ++i)
      bits_host(i) = random.integer(first + i, std::uint64_t{1} << signs_per_word);
    Kokkos::deep_copy(bits, bits_host);
    set_signs<Real, Space>(bits, target[j]);
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class VectorPool<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
