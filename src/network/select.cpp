// Operations that choose: linear once the choice is made, and plane 0 (or an integer) makes it.
#include <onedge/core/error.hpp>
#include <onedge/linalg/for_each_run.hpp>
#include <onedge/network/select.hpp>

#include <cmath>

#include "linear_map.hpp"

namespace onedge::network {

namespace {

template <class Real, class Space>
class Embedding : public Operation<Real, Space> {
 public:
  Embedding(Integers const& tokens, Parameter table)
      : Operation<Real, Space>("embedding", {}, {tokens.length, table.shape[1]}, 1), m_table(std::move(table)) {}

  void forward(Pass<Real, Space> const& pass, int order) const override {
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      look_up(pass.space(), pass.tokens(), pass.parameter_matrix(m_table, order, column),
              pass.rows(this->output(), order, column));
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    if (!pass.wants_parameter_adjoints(order)) return;
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      scatter(pass.space(), pass.tokens(), pass.adjoint_rows(this->output(), order, column),
              pass.parameter_adjoint_matrix(m_table, order, column));
    }
  }

  static void look_up(Space const& space, VectorWindow<std::int32_t const, Space> tokens,
                      MatrixWindow<Real const, Space> table, MatrixWindow<Real, Space> y) {
    std::size_t const width = y.extent(1);
    Kokkos::parallel_for(
        "onedge::Embedding::look_up", range(space, y.size()), KOKKOS_LAMBDA(std::size_t index) {
          std::size_t const t = index / width, j = index % width;
          y(t, j) = table(tokens(t), j);
        });
  }
  /// A feature's contributions are added in the order of the tokens: no atomics, the same bits every time.
  static void scatter(Space const& space, VectorWindow<std::int32_t const, Space> tokens,
                      MatrixWindow<Real const, Space> y_bar, MatrixWindow<Real, Space> table_bar) {
    Kokkos::parallel_for(
        "onedge::Embedding::scatter", range(space, y_bar.extent(1)), KOKKOS_LAMBDA(std::size_t j) {
          for (std::size_t t = 0; t < y_bar.extent(0); ++t) table_bar(tokens(t), j) += y_bar(t, j);
        });
  }

 private:
  Parameter m_table;
};

/// Neighbouring channels of an image that a window looks at together: side by side on the host, one on a device.
template <class Space>
constexpr std::size_t strip = is_host_space<Space> ? 16 : 1;

/// The pixel that wins in each of the channels begin … begin + count − 1, count ≤ strip, of one sample.
template <class Real, class Space>
struct Winners {
  std::int32_t pixel[strip<Space>];

  KOKKOS_INLINE_FUNCTION Winners(linalg::SlidingWindow const& window, std::size_t position, std::size_t across,
                                 Real const* x, std::size_t channels, std::size_t count) {
    Real best[strip<Space>];
    bool first = true;
    std::size_t const top = position / across * window.stride[0];
    std::size_t const left = position % across * window.stride[1];
    for (std::size_t a = top; a < top + window.size[0]; ++a) {
      if (a < window.padding[0] || a >= window.padding[0] + window.image[0]) continue;
      for (std::size_t b = left; b < left + window.size[1]; ++b) {
        if (b < window.padding[1] || b >= window.padding[1] + window.image[1]) continue;
        std::size_t const here = (a - window.padding[0]) * window.image[1] + b - window.padding[1];
        Real const* const values = x + here * channels;
        for (std::size_t c = 0; c < count; ++c) {
          // A NaN wins, so that it is noticed.
          bool const wins = first || values[c] > best[c] || std::isnan(values[c]);
          best[c] = wins ? values[c] : best[c];
          pixel[c] = wins ? static_cast<std::int32_t>(here) : pixel[c];
        }
        first = false;
      }
    }
  }
};

/// y ← x at the winners of `decides`. Item i: sample and position.
template <class Real, class Space>
struct Take {
  linalg::SlidingWindow window;
  std::size_t channels, positions, across;
  Real const* decides;
  Real const* x;
  Real* y;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i, std::size_t begin, std::size_t end) const {
    std::size_t const sample = i / positions * window.image[0] * window.image[1] * channels;
    for (std::size_t c = begin; c < end; c += strip<Space>) {
      std::size_t const count = end - c < strip<Space> ? end - c : strip<Space>;
      Winners<Real, Space> const winners(window, i % positions, across, decides + sample + c, channels, count);
      for (std::size_t k = 0; k < count; ++k) {
        y[i * channels + c + k] = x[sample + static_cast<std::size_t>(winners.pixel[k]) * channels + c + k];
      }
    }
  }
};

/// x̄ ← [x̄ +] ȳ at the winners, position after position: windows overlap. Item i: sample.
template <class Real, class Space>
struct Give {
  linalg::SlidingWindow window;
  std::size_t channels, positions, across;
  Real const* decides;
  Real const* y_bar;
  bool adds;
  Real* x_bar;

  KOKKOS_INLINE_FUNCTION void operator()(std::size_t i, std::size_t begin, std::size_t end) const {
    std::size_t const pixels = window.image[0] * window.image[1];
    for (std::size_t p = 0; p < pixels && !adds; ++p) {
      for (std::size_t c = begin; c < end; ++c) x_bar[(i * pixels + p) * channels + c] = Real(0);
    }
    for (std::size_t position = 0; position < positions; ++position) {
      for (std::size_t c = begin; c < end; c += strip<Space>) {
        std::size_t const count = end - c < strip<Space> ? end - c : strip<Space>;
        Real const* const image = decides + i * pixels * channels + c;
        Winners<Real, Space> const winners(window, position, across, image, channels, count);
        for (std::size_t k = 0; k < count; ++k) {
          x_bar[(i * pixels + static_cast<std::size_t>(winners.pixel[k])) * channels + c + k] +=
              y_bar[(i * positions + position) * channels + c + k];
        }
      }
    }
  }
};

template <class Real, class Space>
class MaxPool : public LinearMap<Real, Space> {
 public:
  using typename LinearMap<Real, Space>::Constant, typename LinearMap<Real, Space>::Window;

  MaxPool(Value const& x, linalg::SlidingWindow const& window)
      : LinearMap<Real, Space>("max_pool", x, {window.positions(0), window.positions(1), x.width()}),
        m_window(window) {}

 protected:
  void map(Pass<Real, Space> const& pass, Constant x, Window y) const override {
    std::size_t const channels = this->input().width();
    Take<Real, Space> const take{m_window, channels, m_window.positions(), m_window.positions(1), decides(pass),
                                 x.data(), y.data()};
    linalg::for_each_run(pass.space(), "onedge::MaxPool::take", y.size() / channels, channels, take);
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, bool adds, Window x_bar) const override {
    std::size_t const channels = this->input().width();
    Give<Real, Space> const give{m_window,     channels, m_window.positions(), m_window.positions(1), decides(pass),
                                 y_bar.data(), adds,     x_bar.data()};
    linalg::for_each_run(pass.space(), "onedge::MaxPool::give", pass.samples(), channels, give);
  }

 private:
  Real const* decides(Pass<Real, Space> const& pass) const { return pass.plane(this->input(), 0).data(); }

  linalg::SlidingWindow m_window;
};

}  // namespace

template <class Real, class Space>
Value embedding(Network<Real, Space>& network, Integers const& tokens, std::string const& name, std::size_t vocabulary,
                std::size_t width, Initializer initializer) {
  return network.apply(std::make_unique<Embedding<Real, Space>>(
      tokens, network.parameter(name + "/embedding", {vocabulary, width}, initializer)));
}

template <class Real, class Space>
Value max_pool(Network<Real, Space>& network, Value const& x, Sliding const& sliding) {
  require(sliding.padding[0] < sliding.size[0] && sliding.padding[1] < sliding.size[1],
          "max_pool: a window must not lie in the padding");
  return network.apply(std::make_unique<MaxPool<Real, Space>>(x, window_on(x, sliding)));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                                          \
  template Value embedding(Network<Real, Space>&, Integers const&, std::string const&, std::size_t, std::size_t, \
                           Initializer);                                                                         \
  template Value max_pool(Network<Real, Space>&, Value const&, Sliding const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
