// Updates and preconditioners over 10 steps against Optax (tests/reference/values.h5).
#include <onedge/hdf5/file.hpp>
#include <onedge/optimizer/optimizer.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace onedge::optimizer {
namespace {

using Space = HostSpace;

void expect_row(std::vector<double> const& expected, std::size_t row, Vector<double, Space> const& actual) {
  std::size_t const length = actual.extent(0);
  for (std::size_t i = 0; i < length; ++i) {
    double const value = expected.at(row * length + i);
    EXPECT_NEAR(actual(i), value, 1e-12 * std::abs(value) + 1e-15) << "step " << row << " element " << i;
  }
}

TEST(Reference, UpdatesAndPreconditionersAreOptaxs) {
  auto const file = hdf5::File::open(ONEDGE_SOURCE_DIR "/tests/reference/values.h5");
  auto const optimizers = file.group("optimizers");
  ASSERT_EQ(optimizers.names().size(), 5u);
  for (auto const& name : optimizers.names()) {
    SCOPED_TRACE(name);
    auto const group = optimizers.group(name);
    auto const deck = config::Deck::from_text("optimizer: " + group.attribute<std::string>("optimizer"), "values.h5");
    auto const config = OptimizerConfig::bind(deck.root().section("optimizer"));
    deck.check_all_known();
    auto const shape = group.dataset("gradient").shape();
    auto const gradients = group.read<double>("gradient");
    auto const updates = group.read<double>("update");
    auto const preconditioners = group.read<double>("preconditioner");
    auto const optimizer = make_optimizer<double, Space>(config, shape.at(1));
    Vector<double, Space> gradient("onedge::test::gradient", shape[1]), result("onedge::test::result", shape[1]);
    for (std::size_t t = 0; t < shape[0]; ++t) {
      for (std::size_t i = 0; i < shape[1]; ++i) gradient(i) = gradients.at(t * shape[1] + i);
      optimizer->update(Space(), gradient, result);
      expect_row(updates, t, result);
      optimizer->preconditioner(Space(), result);
      expect_row(preconditioners, t, result);
    }
  }
}

}  // namespace
}  // namespace onedge::optimizer
