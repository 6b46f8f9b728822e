#include <onedge/spectrum/vector_task.hpp>

#include <bit>
#include <iterator>

namespace onedge::spectrum {

// Sizes first, then the lists one behind the other.
std::vector<std::int64_t> VectorTask::encoded() const {
  auto const size = [](auto const& list) { return static_cast<std::int64_t>(list.size()); };
  std::vector<std::int64_t> message{static_cast<std::int64_t>(kind),
                                    std::bit_cast<std::int64_t>(seed),
                                    std::bit_cast<std::int64_t>(draw),
                                    size(target),
                                    size(a),
                                    size(b),
                                    size(numbers)};
  for (auto const* list : {&target, &a, &b}) message.insert(message.end(), list->begin(), list->end());
  for (double const number : numbers) message.push_back(std::bit_cast<std::int64_t>(number));
  return message;
}

VectorTask VectorTask::decoded(std::vector<std::int64_t> const& message) {
  VectorTask task;
  task.kind = static_cast<Kind>(message[0]);
  task.seed = std::bit_cast<std::uint64_t>(message[1]);
  task.draw = std::bit_cast<std::uint64_t>(message[2]);
  auto at = message.begin() + 7;
  std::size_t place = 3;
  for (auto* list : {&task.target, &task.a, &task.b}) {
    auto const end = at + message[place++];
    list->assign(at, end);
    at = end;
  }
  for (; at != message.end(); ++at) task.numbers.push_back(std::bit_cast<double>(*at));
  return task;
}

}  // namespace onedge::spectrum
