// The paper's networks against JAX (tests/reference/network_reference.py) on 8 samples, with random heads and LayerNorm
// scales: to 1e-9 in double precision; in single precision at most three times JAX's own rounding error. Reads
// tests/reference/networks.h5 (small versions), or the file in ONEDGE_REFERENCE_NETWORKS, and prints a row of a table
// for each network.
#include <onedge/hdf5/file.hpp>
#include <onedge/model/model.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "support/engine.hpp"

namespace onedge::model {
namespace {

using Space = DefaultSpace;

std::string file_name() {
  char const* const given = std::getenv("ONEDGE_REFERENCE_NETWORKS");
  return given != nullptr ? given : ONEDGE_SOURCE_DIR "/tests/reference/networks.h5";
}

/// "name [2, 3]", a line for each tensor.
std::string tensors_of(network::ParameterLayout const& layout) {
  std::string text;
  for (auto const& tensor : layout.tensors()) {
    text += (text.empty() ? "" : "\n") + tensor.name + " " + hdf5::to_string(tensor.parameter.shape);
  }
  return text;
}

/// Errors relative to |loss|, ‖g‖, ‖g‖‖u‖, ‖u‖‖Hu‖ and ‖Hu‖; of uᵀHu the largest of three ways.
struct Errors {
  double loss, gradient, slope, curvature, product;
};

template <class Real>
class Reference {
 public:
  explicit Reference(hdf5::Group const& group)
      : m_gradient(group.read<double>("gradient")),
        m_direction(group.read<double>("direction")),
        m_product(group.read<double>("hessian_vector")),
        m_loss(group.attribute<double>("loss")),
        m_slope(group.attribute<double>("slope")),
        m_curvature(group.attribute<double>("curvature")),
        m_engine(build_of(group), {5, 3}, 1, 1) {
    EXPECT_EQ(tensors_of(m_engine.network().parameters()), group.attribute<std::string>("tensors"));
    m_engine.weights() = group.read<double>("parameters");
    m_engine.labels() = group.read<std::int32_t>("y");
    if (m_engine.network().token_length() > 0) {
      m_engine.tokens() = group.read<std::int32_t>("x");
    } else {
      m_engine.inputs() = group.read<double>("x");
    }
  }

  Errors errors() {
    auto const result = m_engine.evaluate({m_direction});
    double const g = test::norm(m_gradient), u = test::norm(m_direction), hu = test::norm(m_product);
    double curvature = std::abs(test::dot(m_direction, result.products[0]) - m_curvature);
    for (double const value : {result.contractions[0], result.seconds[0]}) {
      curvature = std::max(curvature, std::abs(value - m_curvature));
    }
    return {std::abs(result.loss - m_loss) / std::abs(m_loss),
            test::norm(test::combine(result.gradient, -1, m_gradient)) / g,
            std::abs(result.slopes[0] - m_slope) / (g * u), curvature / (u * hu),
            test::norm(test::combine(result.products[0], -1, m_product)) / hu};
  }

 private:
  static test::Build<Real, Space> build_of(hdf5::Group const& group) {
    auto const deck = config::Deck::from_text(
        "model: " + group.attribute<std::string>("model") + "\nloss: {kind: cross_entropy}", group.label());
    ModelConfig config;
    config.bind(deck.root().section("model"), deck.root().section("loss"));
    deck.check_all_known();
    auto const shape = group.dataset("x").shape();
    DataShape data{{shape.begin() + 1, shape.end()}, 0, 0};
    data.classes = static_cast<std::size_t>(group.attribute<std::int64_t>("classes"));
    data.vocabulary = static_cast<std::size_t>(group.attribute<std::int64_t>("vocabulary"));
    return [config, data](network::Network<Real, Space>& network) { build_network(network, config, data); };
  }

  std::vector<double> m_gradient, m_direction, m_product;
  double m_loss, m_slope, m_curvature;
  test::Engine<Real, Space> m_engine;
};

void print_row(std::string const& name, char const* precision, Errors const& e) {
  std::printf("| %s | %s | %.1e | %.1e | %.1e | %.1e | %.1e |\n", name.c_str(), precision, e.loss, e.gradient, e.slope,
              e.curvature, e.product);
}

TEST(Reference, NetworksInDoublePrecision) {
  auto const file = hdf5::File::open(file_name());
  ASSERT_FALSE(file.names().empty());
  for (auto const& name : file.names()) {
    SCOPED_TRACE(name);
    auto const e = Reference<double>(file.group(name)).errors();
    print_row(name, "double", e);
    for (double const error : {e.loss, e.gradient, e.slope, e.curvature, e.product}) EXPECT_LT(error, 1e-9);
  }
}

// JAX's error counts as one unit of rounding at least: a scalar may be right by chance.
TEST(Reference, NetworksInSinglePrecision) {
  double const rounding = std::numeric_limits<float>::epsilon();
  auto const file = hdf5::File::open(file_name());
  for (auto const& name : file.names()) {
    SCOPED_TRACE(name);
    auto const group = file.group(name);
    auto const allowed = [&](char const* what) {
      return 3 * std::max(group.attribute<double>(std::string("single_") + what), rounding);
    };
    auto const e = Reference<float>(group).errors();
    print_row(name, "single", e);
    EXPECT_LT(e.loss, allowed("loss"));
    EXPECT_LT(e.gradient, allowed("gradient"));
    EXPECT_LT(e.slope, allowed("slope"));
    EXPECT_LT(e.curvature, allowed("curvature"));
    EXPECT_LT(e.product, allowed("hessian_vector"));
  }
}

}  // namespace
}  // namespace onedge::model
