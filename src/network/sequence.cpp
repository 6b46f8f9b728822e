#include <onedge/core/error.hpp>
#include <onedge/linalg/for_each_run.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/sequence.hpp>

#include "linear_map.hpp"

namespace onedge::network {

namespace {

std::size_t positions_of(Value const& x) { return x.size() / x.width(); }

/// to[i, column, row] ← [to +] from[i, row, column] for matrices [rows, columns].
template <class Real, class Space>
void transpose_each(Space const& space, Real const* from, std::size_t count, std::size_t rows, std::size_t columns,
                    bool adds, Real* to) {
  linalg::for_each_run(
      space, "onedge::Transpose::transpose_each", count * columns, rows,
      KOKKOS_LAMBDA(std::size_t item, std::size_t begin, std::size_t end) {
        Real const* const source = from + item / columns * rows * columns + item % columns;
        Real* const target = to + item * rows;
        for (std::size_t row = begin; row < end; ++row) {
          target[row] = (adds ? target[row] : Real(0)) + source[row * columns];
        }
      });
}

template <class Real, class Space>
class Transpose : public LinearMap<Real, Space> {
 public:
  using typename LinearMap<Real, Space>::Constant, typename LinearMap<Real, Space>::Window;

  explicit Transpose(Value const& x) : LinearMap<Real, Space>("transpose", x, {x.width(), positions_of(x)}) {}

 protected:
  void map(Pass<Real, Space> const& pass, Constant x, Window y) const override {
    Value const& in = this->input();
    transpose_each(pass.space(), x.data(), pass.samples(), positions_of(in), in.width(), false, y.data());
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, bool adds, Window x_bar) const override {
    Value const& in = this->input();
    transpose_each(pass.space(), y_bar.data(), pass.samples(), in.width(), positions_of(in), adds, x_bar.data());
  }
};

template <class Real, class Space>
void average(Space const& space, Real const* x, std::size_t samples, std::size_t positions, std::size_t channels,
             Real* y) {
  Real const share = Real(1) / static_cast<Real>(positions);
  linalg::for_each_run(
      space, "onedge::Mean::average", samples, channels,
      KOKKOS_LAMBDA(std::size_t i, std::size_t begin, std::size_t end) {
        for (std::size_t c = begin; c < end; ++c) y[i * channels + c] = Real(0);
        for (std::size_t p = 0; p < positions; ++p) {
          for (std::size_t c = begin; c < end; ++c) y[i * channels + c] += x[(i * positions + p) * channels + c];
        }
        for (std::size_t c = begin; c < end; ++c) y[i * channels + c] *= share;
      });
}

template <class Real, class Space>
void spread(Space const& space, Real const* y_bar, std::size_t samples, std::size_t positions, std::size_t channels,
            bool adds, Real* x_bar) {
  Real const share = Real(1) / static_cast<Real>(positions);
  linalg::for_each_run(
      space, "onedge::Mean::spread", samples * positions, channels,
      KOKKOS_LAMBDA(std::size_t i, std::size_t begin, std::size_t end) {
        Real const* const source = y_bar + i / positions * channels;
        Real* const target = x_bar + i * channels;
        for (std::size_t c = begin; c < end; ++c) target[c] = (adds ? target[c] : Real(0)) + share * source[c];
      });
}

template <class Real, class Space>
class Mean : public LinearMap<Real, Space> {
 public:
  using typename LinearMap<Real, Space>::Constant, typename LinearMap<Real, Space>::Window;

  explicit Mean(Value const& x) : LinearMap<Real, Space>("mean", x, {x.width()}) {}

 protected:
  void map(Pass<Real, Space> const& pass, Constant x, Window y) const override {
    Value const& in = this->input();
    average(pass.space(), x.data(), pass.samples(), positions_of(in), in.width(), y.data());
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, bool adds, Window x_bar) const override {
    Value const& in = this->input();
    spread(pass.space(), y_bar.data(), pass.samples(), positions_of(in), in.width(), adds, x_bar.data());
  }
};

/// A run of neighbouring entries of each sample.
template <class Real>
struct Run {
  Real* data;
  std::size_t sample;  // entries of a whole sample
  std::size_t offset;
};

/// to ← [to +] from, for runs of one length.
template <class Real, class Space>
void copy_runs(Space const& space, Run<Real const> from, std::size_t samples, std::size_t length, bool adds,
               Run<Real> to) {
  linalg::for_each_run(
      space, "onedge::Slice::copy_runs", samples, length,
      KOKKOS_LAMBDA(std::size_t i, std::size_t begin, std::size_t end) {
        Real const* const source = from.data + i * from.sample + from.offset;
        Real* const target = to.data + i * to.sample + to.offset;
        for (std::size_t j = begin; j < end; ++j) target[j] = (adds ? target[j] : Real(0)) + source[j];
      });
}

template <class Real, class Space>
class Slice : public LinearMap<Real, Space> {
 public:
  using typename LinearMap<Real, Space>::Constant, typename LinearMap<Real, Space>::Window;

  Slice(Value const& x, std::size_t first, std::size_t count)
      : LinearMap<Real, Space>("slice", x, {count, x.width()}), m_offset(first * x.width()) {}

 protected:
  void map(Pass<Real, Space> const& pass, Constant x, Window y) const override {
    std::size_t const length = this->output().size();
    copy_runs<Real>(pass.space(), {x.data(), x.extent(1), m_offset}, pass.samples(), length, false,
                    {y.data(), length, 0});
  }
  void pull_back(Pass<Real, Space> const& pass, Constant y_bar, bool adds, Window x_bar) const override {
    if (!adds) Kokkos::deep_copy(pass.space(), x_bar, Real(0));
    std::size_t const length = this->output().size();
    copy_runs<Real>(pass.space(), {y_bar.data(), length, 0}, pass.samples(), length, true,
                    {x_bar.data(), x_bar.extent(1), m_offset});
  }

 private:
  std::size_t m_offset;
};

template <class Real, class Space>
class Prepend : public Operation<Real, Space> {
 public:
  Prepend(Parameter token, Value const& x)
      : Operation<Real, Space>("prepend", {x}, {1 + positions_of(x), x.width()}, x.degree > 1 ? x.degree : 1),
        m_token(std::move(token)) {}

  // y₀ = (t, x₀), y₁ = (v, x₁), y₂ = (0, x₂)
  void forward(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    std::size_t const width = x.width();
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y = pass.plane(this->output(), order, column);
      if (x.degree < order || order == 2) Kokkos::deep_copy(pass.space(), y, Real(0));
      if (order < 2) {
        auto const token = pass.parameter(m_token, order, column);
        copy_runs<Real>(pass.space(), {token.data(), 0, 0}, pass.samples(), width, false, {y.data(), y.extent(1), 0});
      }
      if (x.degree < order) continue;
      copy_runs<Real>(pass.space(), {pass.plane(x, order, column).data(), x.size(), 0}, pass.samples(), x.size(), false,
                      {y.data(), y.extent(1), width});
    }
  }

  void reverse(Pass<Real, Space> const& pass, int order) const override {
    Value const& x = this->input();
    bool const adds = x.degree > 0 && pass.adds(x);
    for (int column = 0; column < (order == 0 ? 1 : pass.columns()); ++column) {
      auto const y_bar = pass.adjoint(this->output(), order, column);
      if (pass.wants_parameter_adjoints(order)) {
        add_tokens(pass.space(), y_bar, pass.parameter_adjoint(m_token, order, column));
      }
      if (x.degree == 0) continue;
      copy_runs<Real>(pass.space(), {y_bar.data(), y_bar.extent(1), x.width()}, pass.samples(), x.size(), adds,
                      {pass.adjoint(x, order, column).data(), x.size(), 0});
    }
  }

  /// t̄ += Σ over the samples of their first entries, sample after sample.
  static void add_tokens(Space const& space, MatrixWindow<Real const, Space> y_bar,
                         VectorWindow<Real, Space> token_bar) {
    std::size_t const samples = y_bar.extent(0);
    linalg::for_each_run(
        space, "onedge::Prepend::add_tokens", 1, token_bar.extent(0),
        KOKKOS_LAMBDA(std::size_t, std::size_t begin, std::size_t end) {
          for (std::size_t i = 0; i < samples; ++i) {
            for (std::size_t c = begin; c < end; ++c) token_bar(c) += y_bar(i, c);
          }
        });
  }

 private:
  Parameter m_token;
};

}  // namespace

template <class Real, class Space>
Value transpose(Network<Real, Space>& network, Value const& x) {
  return network.apply(std::make_unique<Transpose<Real, Space>>(x));
}

template <class Real, class Space>
Value mean(Network<Real, Space>& network, Value const& x) {
  return network.apply(std::make_unique<Mean<Real, Space>>(x));
}

template <class Real, class Space>
Value slice(Network<Real, Space>& network, Value const& x, std::size_t first, std::size_t count) {
  require(first + count <= positions_of(x), "slice: positions ", first, " … ", first + count - 1, " of ",
          positions_of(x));
  return network.apply(std::make_unique<Slice<Real, Space>>(x, first, count));
}

template <class Real, class Space>
Value prepend(Network<Real, Space>& network, Parameter const& token, Value const& x) {
  require(token.size() == x.width(), "prepend: a token of ", token.size(), " entries before positions of ", x.width());
  return network.apply(std::make_unique<Prepend<Real, Space>>(token, x));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                \
  template Value transpose(Network<Real, Space>&, Value const&);                       \
  template Value mean(Network<Real, Space>&, Value const&);                            \
  template Value slice(Network<Real, Space>&, Value const&, std::size_t, std::size_t); \
  template Value prepend(Network<Real, Space>&, Parameter const&, Value const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
