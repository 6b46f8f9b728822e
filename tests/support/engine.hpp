#pragma once
// Runs a network over micro-batches with the bare passes of the engine, for tests: no objective, no ranks.
#include <onedge/core/random.hpp>
#include <onedge/network/network.hpp>

#include <functional>
#include <string>
#include <vector>

namespace onedge::test {

template <class Real, class Space>
using Build = std::function<void(network::Network<Real, Space>&)>;

template <class Real, class Space>
class Engine {
 public:
  using Directions = std::vector<std::vector<double>>;

  Engine(Build<Real, Space> const& build, std::vector<std::size_t> micro_batches, int classes, int vocabulary)
      : m_micro_batches(std::move(micro_batches)) {
    build(m_network);
    for (std::size_t const count : m_micro_batches) {
      m_samples += count;
      m_capacity = std::max(m_capacity, count);
    }
    m_weights = m_network.parameters().initial_values(7);
    RandomStream const noise(3, "weights"), pixels(3, "x"), integers(3, "integers");
    for (std::size_t i = 0; i < m_weights.size(); ++i) m_weights[i] += 0.3 * noise.normal(i);
    std::size_t const features = m_network.input_value().id < 0 ? 0 : m_network.input_value().size();
    for (std::size_t i = 0; i < m_samples * features; ++i) m_x.push_back(pixels.normal(i));
    std::size_t const rows = m_network.loss().rows_per_sample();
    for (std::size_t i = 0; i < m_samples * rows; ++i) m_labels.push_back(integers.integer(i, classes));
    for (std::size_t i = 0; i < m_samples * m_network.token_length(); ++i) {
      m_tokens.push_back(integers.integer(1000 + i, vocabulary));
    }
  }

  std::size_t parameters() const { return m_weights.size(); }
  std::vector<double>& weights() { return m_weights; }
  std::vector<double>& inputs() { return m_x; }
  std::vector<std::int32_t>& labels() { return m_labels; }
  std::vector<std::int32_t>& tokens() { return m_tokens; }
  network::Network<Real, Space> const& network() const { return m_network; }

  /// A direction of length `parameters()` with independent normal entries.
  std::vector<double> direction(std::string const& name) const {
    RandomStream const random(11, name);
    std::vector<double> v(parameters());
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = random.normal(i);
    return v;
  }

  struct Result {
    double loss = 0;
    std::vector<double> gradient;
    std::vector<double> slopes, contractions, seconds, gauss_newton_curvatures;  // per direction; second derivatives
    Directions products, gauss_newton_products;
  };

  /// Hears from which entry on the gradient is complete, and what it is so far.
  using Settled = std::function<void(std::size_t, std::vector<double> const&)>;

  /// Everything at the present weights, along all directions at once.
  Result evaluate(Directions const& directions, Settled const& settled = {}) {
    Result result;
    std::size_t const b = directions.size();
    auto const w = to_device(m_weights);
    Matrix<Real, Space> v("onedge::test::directions", b, parameters());
    auto v_host = Kokkos::create_mirror_view(v);
    for (std::size_t c = 0; c < b; ++c)
      for (std::size_t i = 0; i < parameters(); ++i) v_host(c, i) = static_cast<Real>(directions[c][i]);
    Kokkos::deep_copy(v, v_host);
    Vector<Real, Space> gradient("onedge::test::gradient", parameters());
    Matrix<Real, Space> hv("onedge::test::products", b, parameters());
    Matrix<Real, Space> gv("onedge::test::gauss_newton_products", b, parameters());
    result.slopes.assign(b, 0), result.contractions.assign(b, 0), result.seconds.assign(b, 0);
    result.gauss_newton_curvatures.assign(b, 0);
    network::Workspace<Real, Space> workspace(m_network, m_capacity);
    if (b > 0) workspace.reserve({static_cast<int>(b), true, static_cast<int>(b)});
    std::size_t first = 0;
    for (std::size_t const count : m_micro_batches) {
      network::Bindings<Real, Space> bindings;
      auto const labels = integers(m_labels, first, count), tokens = integers(m_tokens, first, count);
      bindings.parameters = w, bindings.directions = v, bindings.gradient = gradient, bindings.products = hv;
      bindings.labels = labels, bindings.tokens = tokens;
      bindings.weight = 1.0 / static_cast<double>(m_samples * m_network.loss().rows_per_sample());
      network::Pass<Real, Space> pass(Space(), workspace, bindings, 0, count);
      load(pass, first, count);
      m_network.forward(pass);
      result.loss += workspace.collect_terms(1)[0];
      typename network::Network<Real, Space>::Settled report;
      if (settled) report = [&](std::size_t from) { settled(from, to_host(gradient)); };
      m_network.reverse(pass, report);
      if (b > 0) along(pass, b, gv, bindings, result);
      first += count;
    }
    Space().fence();
    result.gradient = to_host(gradient);
    for (std::size_t c = 0; c < b; ++c) {
      result.products.push_back(to_host(Kokkos::subview(hv, c, Kokkos::ALL)));
      result.gauss_newton_products.push_back(to_host(Kokkos::subview(gv, c, Kokkos::ALL)));
    }
    return result;
  }

 private:
  void along(network::Pass<Real, Space>& pass, std::size_t b, Matrix<Real, Space> gv,
             network::Bindings<Real, Space> bindings, Result& result) {
    auto& workspace = pass.workspace();
    auto const add = [&](std::vector<double>& to, double factor) {
      auto const terms = workspace.collect_terms(static_cast<int>(b));
      for (std::size_t c = 0; c < b; ++c) to[c] += factor * terms[c];
    };
    m_network.forward_first(pass);
    add(result.slopes, 1);
    m_network.contract(pass);
    add(result.contractions, 2);
    m_network.forward_second(pass);
    add(result.seconds, 2);
    m_network.gauss_newton_curvature(pass);
    add(result.gauss_newton_curvatures, 2);
    m_network.product(pass);
    bindings.products = gv;
    network::Pass<Real, Space> gauss_newton(Space(), workspace, bindings, 0, pass.samples());
    gauss_newton.set_gauss_newton(true);
    m_network.product(gauss_newton);
  }

  void load(network::Pass<Real, Space> const& pass, std::size_t first, std::size_t count) {
    if (m_network.input_value().id < 0) return;
    auto const plane = pass.plane(m_network.input_value(), 0);
    auto plane_host = Kokkos::create_mirror_view(plane);
    std::size_t const features = plane.extent(1);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < features; ++j) {
        plane_host(i, j) = static_cast<Real>(m_x[(first + i) * features + j]);
      }
    Kokkos::deep_copy(plane, plane_host);
  }

  Vector<std::int32_t, Space> integers(std::vector<std::int32_t> const& all, std::size_t first, std::size_t count) {
    std::size_t const each = all.size() / m_samples;
    Vector<std::int32_t, Space> part("onedge::test::integers", each * count);
    auto part_host = Kokkos::create_mirror_view(part);
    for (std::size_t i = 0; i < each * count; ++i) part_host(i) = all[first * each + i];
    Kokkos::deep_copy(part, part_host);
    return part;
  }

  static Vector<Real, Space> to_device(std::vector<double> const& values) {
    Vector<Real, Space> vector("onedge::test::vector", values.size());
    auto vector_host = Kokkos::create_mirror_view(vector);
    for (std::size_t i = 0; i < values.size(); ++i) vector_host(i) = static_cast<Real>(values[i]);
    Kokkos::deep_copy(vector, vector_host);
    return vector;
  }

  template <class View>
  static std::vector<double> to_host(View const& vector) {
    auto const vector_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), vector);
    std::vector<double> values(vector.extent(0));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(vector_host(i));
    return values;
  }

  network::Network<Real, Space> m_network;
  std::vector<std::size_t> m_micro_batches;
  std::size_t m_samples = 0;
  std::size_t m_capacity = 0;
  std::vector<double> m_weights, m_x;
  std::vector<std::int32_t> m_labels, m_tokens;
};

inline double dot(std::vector<double> const& a, std::vector<double> const& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline double norm(std::vector<double> const& a) { return std::sqrt(dot(a, a)); }

inline std::vector<double> combine(std::vector<double> a, double scale, std::vector<double> const& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += scale * b[i];
  return a;
}

}  // namespace onedge::test
