#include <onedge/comm/all_reduce.hpp>
#include <onedge/core/error.hpp>
#include <onedge/objective/objective.hpp>

#include <algorithm>
#include <numeric>

namespace onedge::objective {

template <class Real, class Space>
Objective<Real, Space>::Objective(Space const& space, network::Network<Real, Space> const& network,
                                  data::Shard<Real, Space> const& shard, data::BlockPartition const& partition,
                                  comm::Communicator const& communicator, Options const& options)
    : m_space(space),
      m_network(network),
      m_shard(shard),
      m_partition(partition),
      m_communicator(communicator),
      m_options(options),
      m_micro_batch(options.micro_batch == 0 ? shard.samples() : std::min(options.micro_batch, shard.samples())),
      m_workspace(network, m_micro_batch),
      m_inner_products(space) {
  require(shard.samples() == partition.sample_count(communicator.rank()), "the shard holds ", shard.samples(),
          " samples, the partition gives this rank ", partition.sample_count(communicator.rank()));
  require(shard.labels_per_sample() == network.loss().rows_per_sample(), "the shard has ", shard.labels_per_sample(),
          " labels per sample, the network ", network.loss().rows_per_sample(), " outputs");
  require(shard.tokens(0, shard.samples()).extent(0) == shard.samples() * network.token_length(), "the network takes ",
          network.token_length(), " tokens per sample, the shard holds ", shard.tokens(0, shard.samples()).extent(0),
          " in ", shard.samples(), " samples");
  require(options.micro_batch % partition.block() == 0, "micro-batch ", options.micro_batch,
          " is not a multiple of the block of ", partition.block());
  for (int r = 0; r <= communicator.size(); ++r) m_first_blocks.push_back(partition.first_block(r));
}

template <class Real, class Space>
void Objective<Real, Space>::reserve(network::Demand const& demand) {
  network::Demand wanted = demand;
  // Reproducible curvatures always come from forward 2, so that their bits do not depend on what planes are at hand.
  bool const repeats = m_options.reproducible || micro_batches() > 1;
  wanted.forward_curvatures = wanted.forward_curvatures || (repeats && demand.curvatures > 0);
  if (m_workspace.demand().covers(wanted)) return;
  bool const kept = keeps_adjoints();
  m_workspace.reserve(wanted);
  if (m_held == Held::adjoints && !kept) m_held = Held::planes;
}

template <class Real, class Space>
void Objective<Real, Space>::set_point(Constant parameters) {
  require(parameters.extent(0) == m_network.parameters().size(), "the point has ", parameters.extent(0),
          " entries, not ", m_network.parameters().size());
  m_point = parameters;
  if (m_held != Held::nothing) m_held = Held::inputs;
}

template <class Real, class Space>
std::size_t Objective<Real, Space>::micro_batch_samples(std::size_t index) const {
  return std::min(m_micro_batch, m_shard.samples() - index * m_micro_batch);
}

// A tile is what the operations see at once: one block where shapes must not depend on it; on the host as much as
// caches hold, since all operations of a pass then find their inputs there; otherwise the whole micro-batch.
template <class Real, class Space>
std::size_t Objective<Real, Space>::tile_samples() const {
  if (m_options.reproducible) return m_partition.block();
  if (m_options.tile > 0) return m_options.tile;
  if (!is_host_space<Space>) return m_micro_batch;
  constexpr std::size_t rows = 256;  // the depth at which oneDNN cuts products over samples
  std::size_t const block_rows = m_partition.block() * m_network.loss().rows_per_sample();
  return std::max(std::size_t{1}, rows / block_rows) * m_partition.block();
}

template <class Real, class Space>
void Objective<Real, Space>::for_each_tile(std::size_t micro_batch, std::function<void(Tile)> const& work) const {
  std::size_t const samples = micro_batch_samples(micro_batch);
  std::size_t const step = tile_samples();
  for (std::size_t first = 0; first < samples; first += step) work({first, std::min(step, samples - first)});
}

// Curvatures and products go backwards: they begin with the micro-batch that the gradient has left. The order never
// depends on what is held, since the bits of fast sums depend on it, and a resumed run holds nothing at first.
// Reproducible sums take their blocks in order.
template <class Real, class Space>
std::vector<std::size_t> Objective<Real, Space>::order(bool backwards) const {
  std::vector<std::size_t> indices(micro_batches());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  if (backwards && !m_options.reproducible) std::reverse(indices.begin(), indices.end());
  return indices;
}

template <class Real, class Space>
network::Bindings<Real, Space> Objective<Real, Space>::bindings(std::size_t micro_batch, Tile tile) const {
  network::Bindings<Real, Space> result;
  result.parameters = m_point;
  std::size_t const rows = m_network.loss().rows_per_sample();
  result.labels = m_shard.labels(micro_batch * m_micro_batch + tile.first, tile.count);
  result.tokens = m_shard.tokens(micro_batch * m_micro_batch + tile.first, tile.count);
  result.weight = 1.0 / (static_cast<double>(m_partition.samples()) * static_cast<double>(rows));
  return result;
}

template <class Real, class Space>
void Objective<Real, Space>::hold_inputs(std::size_t micro_batch) {
  if (m_held != Held::nothing && m_held_micro_batch == micro_batch) return;
  std::size_t const samples = micro_batch_samples(micro_batch);
  if (m_network.input_value().id >= 0) {
    m_shard.load(m_space, micro_batch * m_micro_batch, samples,
                 m_workspace.plane(m_network.input_value(), 0, 0, 0, samples));
  }
  m_held = Held::inputs;
  m_held_micro_batch = micro_batch;
}

template <class Real, class Space>
void Objective<Real, Space>::hold_planes(std::size_t micro_batch) {
  hold_inputs(micro_batch);
  if (m_held >= Held::planes) return;
  for_each_tile(micro_batch, [&](Tile tile) {
    m_network.forward(Pass(m_space, m_workspace, bindings(micro_batch, tile), tile.first, tile.count));
    m_workspace.collect_terms(1);
  });
  m_held = Held::planes;
}

template <class Real, class Space>
void Objective<Real, Space>::hold_adjoints(std::size_t micro_batch) {
  hold_planes(micro_batch);
  if (m_held >= Held::adjoints) return;
  for_each_tile(micro_batch, [&](Tile tile) {
    m_network.reverse(Pass(m_space, m_workspace, bindings(micro_batch, tile), tile.first, tile.count));
  });
  m_held = Held::adjoints;
}

template <class Real, class Space>
void Objective<Real, Space>::begin_sums(std::size_t scalars, std::size_t vectors) {
  m_scalars.assign(scalars, 0.0);
  if (!m_options.reproducible) return;
  if (m_scalar_count != scalars) {
    m_scalar_sum =
        std::make_unique<comm::BlockSum<double, HostSpace>>(HostSpace(), m_communicator, scalars, m_first_blocks);
    m_scalar_count = scalars;
  }
  m_scalar_sum->begin();
  if (vectors == 0) return;
  if (m_vector_count != vectors) {
    m_vector_sum =
        std::make_unique<comm::BlockSum<Real, Space>>(m_space, m_communicator, vectors * parameters(), m_first_blocks);
    m_vector_count = vectors;
  }
  m_vector_sum->begin();
}

// Parameter adjoints of all tiles add up in the result, those of a block in the block's own vector.
template <class Real, class Space>
typename Objective<Real, Space>::Window Objective<Real, Space>::begin_vectors(Window result) {
  if (!m_options.reproducible) return result;
  Window const block = m_vector_sum->next();
  Kokkos::deep_copy(m_space, block, Real(0));
  return block;
}

template <class Real, class Space>
void Objective<Real, Space>::add_scalars(std::vector<double> const& values) {
  if (m_options.reproducible)
    return m_scalar_sum->add(VectorWindow<double const, HostSpace>(values.data(), values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) m_scalars[i] += values[i];
}

template <class Real, class Space>
std::vector<double> Objective<Real, Space>::finish_scalars() {
  if (m_options.reproducible) {
    m_scalar_sum->finish(VectorWindow<double, HostSpace>(m_scalars.data(), m_scalars.size()));
  } else {
    m_communicator.all_reduce(m_scalars.data(), m_scalars.size());
  }
  return m_scalars;
}

template <class Real, class Space>
void Objective<Real, Space>::finish_vectors(Window result) {
  if (m_options.reproducible) {
    m_vector_sum->finish(result);
  } else {
    comm::all_reduce(m_space, m_communicator, result);
  }
}

template <class Real, class Space>
bool Objective<Real, Space>::overlaps() const {
  if (m_options.reproducible || m_communicator.size() == 1) return false;
  return comm::in_memory_of(m_space, m_communicator).overlaps();
}

template <class Real, class Space>
double Objective<Real, Space>::add_weight_decay(double data_loss) {
  if (m_options.weight_decay == 0) return data_loss;
  return data_loss + 0.5 * m_options.weight_decay * m_inner_products({{m_point, m_point}})[0];
}

template <class Real, class Space>
Losses Objective<Real, Space>::loss() {
  ScopedRegion const region("Objective", "loss");
  begin_sums(1, 0);
  for (std::size_t const index : order(false)) {
    hold_inputs(index);
    for_each_tile(index, [&](Tile tile) {
      m_network.forward(Pass(m_space, m_workspace, bindings(index, tile), tile.first, tile.count));
      add_scalars(m_workspace.collect_terms(1));
    });
    m_held = Held::planes;
  }
  ++m_counts.losses;
  double const data_loss = finish_scalars()[0];
  return {add_weight_decay(data_loss), data_loss};
}

template <class Real, class Space>
Losses Objective<Real, Space>::gradient(Window gradient) {
  ScopedRegion const region("Objective", "gradient");
  begin_sums(1, 1);
  if (!m_options.reproducible) Kokkos::deep_copy(m_space, gradient, Real(0));
  comm::GradualAllReduce<Real, Space> sum(m_space, m_communicator, gradient);
  auto const settled = [&](std::size_t first) { sum.settle_from(first); };
  for (std::size_t const index : order(false)) {
    hold_inputs(index);
    bool const is_last = index + 1 == micro_batches();
    for_each_tile(index, [&](Tile tile) {
      auto bound = bindings(index, tile);
      bound.gradient = begin_vectors(gradient);
      Pass const pass(m_space, m_workspace, bound, tile.first, tile.count);
      m_network.forward(pass);
      add_scalars(m_workspace.collect_terms(1));
      bool const ends = is_last && tile.first + tile.count == micro_batch_samples(index);
      m_network.reverse(pass, ends && overlaps() ? settled : typename network::Network<Real, Space>::Settled());
      if (m_options.reproducible) m_vector_sum->add();
    });
    m_held = keeps_adjoints() ? Held::adjoints : Held::planes;
  }
  if (overlaps()) {
    sum.finish();
  } else {
    finish_vectors(gradient);
  }
  ++m_counts.gradients;
  if (m_options.weight_decay != 0) {
    linalg::add_scaled<Real>(m_space, gradient, static_cast<Real>(m_options.weight_decay), m_point, gradient);
  }
  double const data_loss = finish_scalars()[0];
  return {add_weight_decay(data_loss), data_loss};
}

template <class Real, class Space>
double Objective<Real, Space>::curvature(Constant direction) {
  return along(direction, false);
}

template <class Real, class Space>
double Objective<Real, Space>::gauss_newton_curvature(Constant direction) {
  return along(direction, true);
}

template <class Real, class Space>
double Objective<Real, Space>::along_tile(Pass const& pass, bool gauss_newton, bool contracts) {
  if (gauss_newton) {
    m_network.gauss_newton_curvature(pass);
  } else if (contracts) {
    m_network.contract(pass);
  } else {
    m_network.forward_second(pass);
  }
  return 2 * m_workspace.collect_terms(1)[0];
}

template <class Real, class Space>
double Objective<Real, Space>::along(Constant direction, bool gauss_newton) {
  ScopedRegion const region("Objective", "curvature");
  reserve({1, false, 0});
  begin_sums(1, 0);
  for (std::size_t const index : order(true)) {
    hold_planes(index);
    bool const contracts = !m_options.reproducible && m_held == Held::adjoints;
    if (!contracts && !gauss_newton) reserve({1, true, 0});
    for_each_tile(index, [&](Tile tile) {
      auto bound = bindings(index, tile);
      bound.directions = MatrixWindow<Real const, Space>(direction.data(), 1, direction.extent(0));
      add_scalars({along_tile(Pass(m_space, m_workspace, bound, tile.first, tile.count), gauss_newton, contracts)});
    });
  }
  ++m_counts.curvatures;
  double curvature = finish_scalars()[0];
  if (m_options.weight_decay != 0) {
    curvature += m_options.weight_decay * m_inner_products({{direction, direction}})[0];
  }
  return curvature;
}

template <class Real, class Space>
void Objective<Real, Space>::add_products(MatrixWindow<Real const, Space> directions, MatrixWindow<Real, Space> results,
                                          bool gauss_newton) {
  std::size_t const b = directions.extent(0);
  require(directions.extent(1) == parameters(), "product: directions of ", directions.extent(1), " entries");
  reserve({0, false, static_cast<int>(b)});
  begin_sums(1, b);
  Window const flat(results.data(), results.size());
  if (!m_options.reproducible) Kokkos::deep_copy(m_space, flat, Real(0));
  for (std::size_t const index : order(true)) {
    if (gauss_newton) {
      hold_planes(index);
    } else {
      hold_adjoints(index);
    }
    for_each_tile(index, [&](Tile tile) {
      auto bound = bindings(index, tile);
      bound.directions = directions;
      bound.products = MatrixWindow<Real, Space>(begin_vectors(flat).data(), b, parameters());
      Pass pass(m_space, m_workspace, bound, tile.first, tile.count);
      pass.set_gauss_newton(gauss_newton);
      m_network.product(pass);
      if (m_options.reproducible) m_vector_sum->add();
    });
  }
  m_counts.products += static_cast<std::int64_t>(b);
}

template <class Real, class Space>
void Objective<Real, Space>::product(MatrixWindow<Real const, Space> directions, MatrixWindow<Real, Space> results,
                                     bool gauss_newton) {
  ScopedRegion const region("Objective", "product");
  require(results.extent(0) == directions.extent(0) && results.extent(1) == parameters(),
          "product: ", directions.extent(0), " directions, ", results.extent(0), " results");
  add_products(directions, results, gauss_newton);
  Window const flat(results.data(), results.size());
  finish_vectors(flat);
  if (m_options.weight_decay != 0) {
    VectorWindow<Real const, Space> const all(directions.data(), directions.size());
    linalg::add_scaled<Real>(m_space, flat, static_cast<Real>(m_options.weight_decay), all, flat);
  }
}

template <class Real, class Space>
void Objective<Real, Space>::product(MatrixWindow<Real const, Space> directions, comm::Slices<Real, Space>& slices,
                                     std::vector<Window> const& results, bool gauss_newton) {
  ScopedRegion const region("Objective", "product");
  std::size_t const b = directions.extent(0);
  require(results.size() == b && slices.length() == parameters(), "product: ", b, " directions, ", results.size(),
          " results");
  if (m_options.reproducible) {
    add_products(directions, {}, gauss_newton);
    m_vector_sum->finish(slices.counts(), results);
  } else {
    if (m_products.extent(0) < b) {
      m_products = uninitialised<Matrix<Real, Space>>("onedge::Objective::products", b, parameters());
    }
    MatrixWindow<Real, Space> const sums(m_products.data(), b, parameters());
    add_products(directions, sums, gauss_newton);
    slices.reduce_scatter(sums, results);
  }
  if (m_options.weight_decay == 0) return;
  for (std::size_t c = 0; c < b; ++c) {
    Constant const slice(directions.data() + c * parameters() + slices.first(), slices.local());
    linalg::add_scaled<Real>(m_space, results[c], static_cast<Real>(m_options.weight_decay), slice, results[c]);
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Objective<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::objective
