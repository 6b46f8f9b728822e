#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/network/attention.hpp>

#include <cmath>

#include "activation_product.hpp"

namespace onedge::network {

namespace {

using linalg::MatrixBatch;
using linalg::Transpose;

/// How the heads' matrices of a value lie: side by side in the channels [positions, heads · depth], or one after
/// another [heads, positions, depth].
struct HeadLayout {
  std::size_t rows, columns, row_stride, head_stride, sample_stride;

  static HeadLayout side_by_side(Value const& x, std::size_t heads) {
    std::size_t const depth = x.shape[1] / heads;
    return {x.shape[0], depth, x.shape[1], depth, x.size()};
  }
  static HeadLayout one_after_another(Shape const& shape) {
    return {shape[1], shape[2], shape[2], shape[1] * shape[2], size_of(shape)};
  }
  template <class T>
  MatrixBatch<T> of(T* data) const {
    return {data, rows, columns, row_stride, head_stride, sample_stride};
  }
};

/// y_h = α a_h op(b_h) for every head h.
template <class Real, class Space>
class HeadProduct : public ActivationProduct<Real, Space> {
 public:
  using typename ActivationProduct<Real, Space>::Constant, typename ActivationProduct<Real, Space>::Window;

  struct Layouts {
    HeadLayout a, b, y;
  };

  HeadProduct(std::string name, Value const& a, Value const& b, Shape output, std::size_t heads, Layouts const& layouts,
              Transpose transpose_b, Real scale)
      : ActivationProduct<Real, Space>(std::move(name), a, b, std::move(output)),
        m_heads(heads),
        m_layouts(layouts),
        m_transpose_b(transpose_b),
        m_scale(scale) {}

 protected:
  void multiply(Pass<Real, Space> const& pass, Constant a, Constant b, bool adds, Window y) const override {
    product(pass, Transpose::no, m_layouts.a.of(a.data()), m_transpose_b, m_layouts.b.of(b.data()), adds,
            m_layouts.y.of(y.data()));
  }

  // ā = α ȳ op(b)ᵀ;   b̄ = α aᵀȳ, or α ȳᵀa where the product takes bᵀ
  void pull_back(Pass<Real, Space> const& pass, int which, Constant y_bar, Constant other, bool adds,
                 Window x_bar) const override {
    bool const transposes = m_transpose_b == Transpose::yes;
    auto const y = m_layouts.y.of(y_bar.data());
    if (which == 0) {
      product(pass, Transpose::no, y, transposes ? Transpose::no : Transpose::yes, m_layouts.b.of(other.data()), adds,
              m_layouts.a.of(x_bar.data()));
    } else if (transposes) {
      product(pass, Transpose::yes, y, Transpose::no, m_layouts.a.of(other.data()), adds, m_layouts.b.of(x_bar.data()));
    } else {
      product(pass, Transpose::yes, m_layouts.a.of(other.data()), Transpose::no, y, adds, m_layouts.b.of(x_bar.data()));
    }
  }

 private:
  void product(Pass<Real, Space> const& pass, Transpose transpose_a, MatrixBatch<Real const> const& a,
               Transpose transpose_b, MatrixBatch<Real const> const& b, bool adds,
               MatrixBatch<Real> const& result) const {
    linalg::matmul_batch<Real>(pass.space(), pass.samples(), m_heads, transpose_a, transpose_b, m_scale, a, b,
                               adds ? 1 : 0, result);
  }

  std::size_t m_heads;
  Layouts m_layouts;
  Transpose m_transpose_b;
  Real m_scale;
};

}  // namespace

template <class Real, class Space>
Value attention_scores(Network<Real, Space>& network, Value const& queries, Value const& keys, std::size_t heads) {
  require(queries.shape.size() == 2 && keys.shape.size() == 2 && queries.shape[1] == keys.shape[1],
          "attention: queries and keys differ in width");
  require(heads > 0 && queries.shape[1] % heads == 0, "attention: a width of ", queries.shape[1], " for ", heads,
          " heads");
  Shape const shape{heads, queries.shape[0], keys.shape[0]};
  auto const depth = static_cast<double>(queries.shape[1] / heads);
  return network.apply(std::make_unique<HeadProduct<Real, Space>>(
      "attention_scores", queries, keys, shape, heads,
      typename HeadProduct<Real, Space>::Layouts{HeadLayout::side_by_side(queries, heads),
                                                 HeadLayout::side_by_side(keys, heads),
                                                 HeadLayout::one_after_another(shape)},
      Transpose::yes, static_cast<Real>(1 / std::sqrt(depth))));
}

template <class Real, class Space>
Value attention_mix(Network<Real, Space>& network, Value const& weights, Value const& values) {
  require(weights.shape.size() == 3 && values.shape.size() == 2 && weights.shape[2] == values.shape[0] &&
              values.shape[1] % weights.shape[0] == 0,
          "attention: weights and values do not fit");
  std::size_t const heads = weights.shape[0];
  Value const output{-1, {weights.shape[1], values.shape[1]}, 0};
  return network.apply(std::make_unique<HeadProduct<Real, Space>>(
      "attention_mix", weights, values, output.shape, heads,
      typename HeadProduct<Real, Space>::Layouts{HeadLayout::one_after_another(weights.shape),
                                                 HeadLayout::side_by_side(values, heads),
                                                 HeadLayout::side_by_side(output, heads)},
      Transpose::no, Real(1)));
}

#define ONEDGE_INSTANTIATE(Real, Space)                                                            \
  template Value attention_scores(Network<Real, Space>&, Value const&, Value const&, std::size_t); \
  template Value attention_mix(Network<Real, Space>&, Value const&, Value const&);
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
