// The line in single precision, whose squares leave its range first.
#include <gtest/gtest.h>

#include <cmath>

#include "real_line.hpp"

namespace onedge::training::test {
namespace {

using Values = Vector<float, Space>;

struct Curvatures {
  double hessian, gauss_newton;
};

/// A small network, and second derivatives along multiples of one direction.
class SingleLine {
 public:
  SingleLine() : m_communicator(MPI_COMM_SELF) {
    auto const deck = config::Deck::from_text("model: {hidden: [5], activation: tanh}\nloss: {weight_decay: 0.01}", "");
    model::ModelConfig config;
    config.bind(deck.root().section("model"), deck.root().section("loss"));
    data::HostSamples samples;
    samples.count = 8, samples.features = 3;
    for (std::size_t i = 0; i < 24; ++i) samples.reals.push_back(std::sin(1.0 + static_cast<double>(i)));
    samples.labels = {0, 1, 2, 0, 1, 2, 0, 1};
    m_shard = data::Shard<float, Space>(samples);
    m_network = model::make_network<float, Space>(config, {{samples.features}, 3});
    m_objective = std::make_unique<objective::Objective<float, Space>>(
        Space(), *m_network, m_shard, data::BlockPartition(samples.count, 4, 1), m_communicator,
        objective::Options{0, false, config.weight_decay});
    m_line =
        std::make_unique<ObjectiveLine<float, Space>>(Space(), *m_objective, [](std::int64_t, std::string const&) {});
  }

  Curvatures along(float scale) {
    auto const w = wave(0.5F), u = wave(scale);
    Values const gradient("onedge::test::gradient", w.extent(0));
    m_objective->set_point(w);
    double const loss = m_objective->gradient(gradient).loss;
    m_line->begin(0, w, loss, gradient, u, {});
    m_line->loss_at(0.1);  // the objective is elsewhere
    return {m_line->curvature(), m_line->gauss_newton_curvature()};
  }

 private:
  Values wave(float scale) const {
    Values const result("onedge::test::wave", m_objective->parameters());
    auto const host = Kokkos::create_mirror_view(result);
    for (std::size_t i = 0; i < host.extent(0); ++i) host(i) = scale * std::cos(2.0F + 3.0F * static_cast<float>(i));
    Kokkos::deep_copy(result, host);
    return result;
  }

  comm::MpiCommunicator m_communicator;
  data::Shard<float, Space> m_shard;
  std::unique_ptr<network::Network<float, Space>> m_network;
  std::unique_ptr<objective::Objective<float, Space>> m_objective;
  std::unique_ptr<ObjectiveLine<float, Space>> m_line;
};

TEST(Line, KeepsTheBitsOfCurvaturesAlongUpdatesOfAnySize) {
  SingleLine line;
  auto const unit = line.along(1);
  EXPECT_GT(unit.gauss_newton, 0.01);
  for (int const exponent : {-110, -64, -40, -12, 12, 40, 90}) {
    auto const scaled = line.along(std::ldexp(1.0F, exponent));
    EXPECT_EQ(std::ldexp(scaled.hessian, -2 * exponent), unit.hessian) << "2^" << exponent;
    EXPECT_EQ(std::ldexp(scaled.gauss_newton, -2 * exponent), unit.gauss_newton) << "2^" << exponent;
  }
}

}  // namespace
}  // namespace onedge::training::test
