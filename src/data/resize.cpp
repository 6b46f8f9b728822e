#include <onedge/core/error.hpp>

#include <algorithm>
#include <cmath>

#include "image.hpp"

namespace onedge::data {

namespace {

constexpr std::size_t channels = 3;

/// The weighted pixels of the input that make one pixel of the output, along one axis.
struct Footprint {
  std::size_t first = 0;
  std::vector<float> weights;
};

/// Footprints of the output pixels first … first+count−1 of an axis that goes from `in` to `out` pixels.
std::vector<Footprint> footprints(std::size_t in, std::size_t out, std::size_t first, std::size_t count) {
  double const scale = static_cast<double>(in) / static_cast<double>(out);
  double const reach = std::max(scale, 1.0);
  std::vector<Footprint> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    double const centre = (static_cast<double>(first + i) + 0.5) * scale;
    auto const begin = static_cast<std::size_t>(std::max(0L, std::lround(centre - reach)));
    auto const end = std::min(in, static_cast<std::size_t>(std::lround(centre + reach)));
    std::vector<double> weights;
    double sum = 0;
    for (std::size_t j = begin; j < end; ++j) {
      weights.push_back(std::max(0.0, 1.0 - std::abs(static_cast<double>(j) + 0.5 - centre) / reach));
      sum += weights.back();
    }
    result[i].first = begin;
    for (double const weight : weights) result[i].weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

}  // namespace

Image resize_and_crop(Image const& image, std::size_t shorter_side, std::size_t size) {
  std::size_t const shorter = std::min(image.height, image.width);
  std::size_t const wanted = shorter_side == 0 ? shorter : shorter_side;
  require(wanted >= size, "a square of ", size, " pixels does not fit into an image of ", image.width, " by ",
          image.height);
  auto const resized = [&](std::size_t side) { return (side * wanted + shorter / 2) / shorter; };
  std::size_t const height = resized(image.height), width = resized(image.width);
  auto const rows = footprints(image.height, height, (height - size) / 2, size);
  auto const columns = footprints(image.width, width, (width - size) / 2, size);
  // First along the rows that are needed, then along the columns.
  std::size_t const top = rows.front().first, bottom = rows.back().first + rows.back().weights.size();
  std::vector<float> narrow((bottom - top) * size * channels, 0.0f);
  for (std::size_t y = top; y < bottom; ++y) {
    for (std::size_t x = 0; x < size; ++x) {
      float* const to = &narrow[((y - top) * size + x) * channels];
      std::uint8_t const* from = &image.pixels[(y * image.width + columns[x].first) * channels];
      for (float const weight : columns[x].weights) {
        for (std::size_t c = 0; c < channels; ++c) to[c] += weight * static_cast<float>(*from++);
      }
    }
  }
  Image result{size, size, {}};
  std::vector<float> row(size * channels);
  for (auto const& footprint : rows) {
    std::fill(row.begin(), row.end(), 0.5f);  // rounds
    float const* from = &narrow[(footprint.first - top) * row.size()];
    for (float const weight : footprint.weights) {
      for (float& value : row) value += weight * *from++;
    }
    for (float const value : row) result.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f)));
  }
  return result;
}

}  // namespace onedge::data
