#include <onedge/core/error.hpp>
#include <onedge/core/random.hpp>
#include <onedge/network/value.hpp>

#include <cmath>

namespace onedge::network {

namespace {

// Standard deviation of a standard normal truncated at ±2.
constexpr double truncated_deviation = 0.87962566103423978;

double initial_value(Initializer const& how, RandomStream const& random, std::size_t index) {
  switch (how.kind) {
    case Initializer::Kind::zeros:
      return 0;
    case Initializer::Kind::ones:
      return 1;
    case Initializer::Kind::lecun_normal:
      return random.truncated_normal(index) / (truncated_deviation * std::sqrt(static_cast<double>(how.fan_in)));
    case Initializer::Kind::xavier_uniform:
      return (2 * random.uniform(index) - 1) * std::sqrt(6.0 / static_cast<double>(how.fan_in + how.fan_out));
    case Initializer::Kind::uniform:
      return (2 * random.uniform(index) - 1) / std::sqrt(static_cast<double>(how.fan_in));
    case Initializer::Kind::normal:
      return how.deviation * random.normal(index);
  }
  throw Error("unknown initializer");
}

}  // namespace

std::string text_of(Shape const& shape) {
  std::string text;
  for (std::size_t const extent : shape) text += concat(text.empty() ? "" : ", ", extent);
  return concat("[", text, "]");
}

void check_size(std::string const& what, Shape const& shape) {
  double size = 1;  // cannot overflow
  for (std::size_t const extent : shape) size *= static_cast<double>(extent);
  require_input(size <= 0x1p40, "the model is too large: ", what, " ", text_of(shape), " has more than 2^40 elements");
}

void ParameterLayout::check_name(std::string const& name) {
  if (m_streams.empty()) {
    for (auto const other : streams::all) m_streams.emplace(RandomStream::number(other), other);
  }
  auto const [found, is_new] = m_streams.emplace(RandomStream::number(name), name);
  require(is_new || found->second != name, "two parameters are named ", name);
  require(is_new, "the parameter ", name, " would get the random numbers of ", found->second, ": give it another name");
}

Parameter ParameterLayout::add(std::string const& name, Shape shape, Initializer initializer) {
  check_name(name);
  check_size(name, shape);
  Parameter parameter{static_cast<int>(m_tensors.size()), m_size, std::move(shape)};
  m_size += parameter.size();
  require_input(m_size <= std::size_t{1} << 44, "the model is too large: with ", name, " ", text_of(parameter.shape),
                " it has more than 2^44 parameters");
  m_tensors.push_back({name, parameter, initializer});
  return parameter;
}

std::vector<double> ParameterLayout::initial_values(std::uint64_t seed) const {
  std::vector<double> values(m_size);
  for (auto const& tensor : m_tensors) {
    RandomStream const random(seed, tensor.name);
    for (std::size_t i = 0; i < tensor.parameter.size(); ++i) {
      values[tensor.parameter.offset + i] = initial_value(tensor.initializer, random, i);
    }
  }
  return values;
}

}  // namespace onedge::network
