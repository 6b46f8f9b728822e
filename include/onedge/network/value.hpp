#pragma once
// What flows through a network and what it is made of: handles, without storage.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <unordered_map>
#include <vector>

namespace onedge::network {

/// Extents of one sample, slowest first; channels last.
using Shape = std::vector<std::size_t>;

inline std::size_t size_of(Shape const& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

/// "[28, 28, 3]"
std::string text_of(Shape const& shape);
/// Throws InputError, which names `what`, above 2⁴⁰ elements: no memory holds them, and sizes in bytes cannot overflow
/// below.
void check_size(std::string const& what, Shape const& shape);

/// A real activation: one array per sample.
struct Value {
  int id = -1;
  Shape shape;
  /// The highest order of ε it can hold along a direction, capped at 2: 0 for data, 1 right behind the first layer.
  int degree = 0;

  std::size_t size() const { return size_of(shape); }
  std::size_t width() const { return shape.back(); }
  /// The same array under another shape of equal size: flatten and its like cost nothing.
  Value reshaped(Shape other) const { return {id, std::move(other), degree}; }
};

/// An integer input (characters): `length` of them per sample. Has no planes.
struct Integers {
  std::size_t length = 0;
};

/// A tensor inside the flat vector of parameters.
struct Parameter {
  int id = -1;
  std::size_t offset = 0;
  Shape shape;

  std::size_t size() const { return size_of(shape); }
};

/// How a tensor starts (definitions: docs/keys.md and Flax's initialisers of the same names).
struct Initializer {
  enum class Kind { zeros, ones, lecun_normal, xavier_uniform, uniform, normal };
  Kind kind = Kind::zeros;
  std::size_t fan_in = 0;
  std::size_t fan_out = 0;
  double deviation = 0;

  static Initializer zeros() { return {}; }
  static Initializer ones() { return {Kind::ones, 0, 0, 0}; }
  /// Normal truncated at ±2 standard deviations, rescaled so that the deviation after truncation is 1/√fan_in.
  static Initializer lecun_normal(std::size_t fan_in) { return {Kind::lecun_normal, fan_in, 0, 0}; }
  /// U(±√(6/(fan_in + fan_out))).
  static Initializer xavier_uniform(std::size_t fan_in, std::size_t fan_out) {
    return {Kind::xavier_uniform, fan_in, fan_out, 0};
  }
  /// U(±1/√fan_in): what torch.nn.Linear draws kernel and bias from.
  static Initializer uniform(std::size_t fan_in) { return {Kind::uniform, fan_in, 0, 0}; }
  /// N(0, deviation²), not truncated.
  static Initializer normal(double deviation) { return {Kind::normal, 0, 0, deviation}; }
};

/// Names, shapes and places of all tensors in one flat vector, in order, without gaps.
class ParameterLayout {
 public:
  struct Tensor {
    std::string name;  // "dense_0/kernel"
    Parameter parameter;
    Initializer initializer;
  };

  /// Throws Error when the name exists, or when its random numbers would be those of another name; InputError when
  /// there are more than 2⁴⁴ parameters.
  Parameter add(std::string const& name, Shape shape, Initializer initializer);
  std::vector<Tensor> const& tensors() const { return m_tensors; }
  std::size_t size() const { return m_size; }

  /// The values at the start, on the host, [size()]: a function of (seed, tensor name, index) alone.
  std::vector<double> initial_values(std::uint64_t seed) const;

 private:
  void check_name(std::string const& name);

  std::unordered_map<std::uint32_t, std::string> m_streams;  // name of each stream of random numbers
  std::vector<Tensor> m_tensors;
  std::size_t m_size = 0;
};

}  // namespace onedge::network
