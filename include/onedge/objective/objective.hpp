#pragma once
#include <onedge/comm/block_sum.hpp>
#include <onedge/comm/slices.hpp>
#include <onedge/data/partition.hpp>
#include <onedge/data/shard.hpp>
#include <onedge/linalg/vector.hpp>
#include <onedge/network/network.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace onedge::objective {

struct Options {
  std::size_t micro_batch = 0;  ///< samples held at once by a rank: a multiple of the block; 0: all of them
  bool reproducible = false;    ///< the same bits for any number of ranks and any micro-batch
  double weight_decay = 0;      ///< wd in f(w) = mean loss + (wd/2)‖w‖²
  std::size_t tile = 0;         ///< samples that operations see at once, unless reproducible; 0: chosen for the caches
};

struct Losses {
  double loss = 0;       ///< f(w), weight decay included
  double data_loss = 0;  ///< the mean of the samples' losses
};

/// What was computed so far, in full passes over the samples.
struct Counts {
  std::int64_t losses = 0;
  std::int64_t gradients = 0;
  std::int64_t curvatures = 0;  ///< uᵀHu or uᵀGu, per direction
  std::int64_t products = 0;    ///< Hv or Gv, per direction
};

/// f(w) = (1/N) Σ_samples ℓ + (wd/2)‖w‖² over the samples of all ranks, with its derivatives. Collective: every rank
/// calls the same methods in the same order and gets the same bits. Vectors have network.parameters().size() entries.
///
/// Work goes through the samples by micro-batches. The planes of the last one stay, and with a single micro-batch no
/// pass is repeated: curvature and products build on the gradient's planes.
template <class Real, class Space>
class Objective {
 public:
  using Constant = VectorWindow<Real const, Space>;
  using Window = VectorWindow<Real, Space>;

  Objective(Space const& space, network::Network<Real, Space> const& network, data::Shard<Real, Space> const& shard,
            data::BlockPartition const& partition, comm::Communicator const& communicator, Options const& options);

  /// Makes room for these passes at once rather than at the first call that needs them.
  void reserve(network::Demand const& demand);

  /// The point at which everything is computed until the next call; the array must stay and not change meanwhile.
  void set_point(Constant parameters);

  /// The samples in the shard are others than before.
  void samples_changed() { m_held = Held::nothing; }

  Losses loss();
  /// gradient ← ∇f. Returns the losses as well.
  Losses gradient(Window gradient);
  /// uᵀHu.
  double curvature(Constant direction);
  /// uᵀGu, G = Σ Jᵀ(∇²ℓ)J / N + wd·I.
  double gauss_newton_curvature(Constant direction);
  /// results_c ← H v_c (or G v_c) for all b directions in one go; both [b, P].
  void product(MatrixWindow<Real const, Space> directions, MatrixWindow<Real, Space> results,
               bool gauss_newton = false);
  /// The same, each rank getting only its slices: results[c] is the slice of H v_c, one reduce-scatter for all.
  void product(MatrixWindow<Real const, Space> directions, comm::Slices<Real, Space>& slices,
               std::vector<Window> const& results, bool gauss_newton = false);

  comm::Communicator const& communicator() const { return m_communicator; }
  Counts const& counts() const { return m_counts; }
  std::size_t parameters() const { return m_network.parameters().size(); }
  std::size_t micro_batch() const { return m_micro_batch; }

 private:
  using Pass = network::Pass<Real, Space>;
  struct Tile {
    std::size_t first;  // within the workspace
    std::size_t count;
  };
  // What the workspace holds of the micro-batch that is in it.
  enum class Held { nothing, inputs, planes, adjoints };

  std::size_t micro_batches() const { return (m_shard.samples() + m_micro_batch - 1) / m_micro_batch; }
  // Whether adjoint planes 0 outlive the gradient pass.
  bool keeps_adjoints() const { return m_workspace.demand().columns() > 0; }
  std::size_t micro_batch_samples(std::size_t index) const;
  std::size_t tile_samples() const;
  void for_each_tile(std::size_t micro_batch, std::function<void(Tile)> const& work) const;
  std::vector<std::size_t> order(bool backwards) const;
  network::Bindings<Real, Space> bindings(std::size_t micro_batch, Tile tile) const;
  void hold_inputs(std::size_t micro_batch);
  void hold_planes(std::size_t micro_batch);
  void hold_adjoints(std::size_t micro_batch);

  void begin_sums(std::size_t scalars, std::size_t vectors);
  void add_scalars(std::vector<double> const& values);
  Window begin_vectors(Window result);
  std::vector<double> finish_scalars();
  void finish_vectors(Window result);
  /// Adds this rank's part of the products to `results` [b, P], or to the blocks of a reproducible sum.
  void add_products(MatrixWindow<Real const, Space> directions, MatrixWindow<Real, Space> results, bool gauss_newton);
  /// Whether the ranks' gradients are summed while the reverse pass goes on.
  bool overlaps() const;
  double add_weight_decay(double data_loss);
  double along(Constant direction, bool gauss_newton);
  double along_tile(Pass const& pass, bool gauss_newton, bool contracts);

  Space m_space;
  network::Network<Real, Space> const& m_network;
  data::Shard<Real, Space> const& m_shard;
  data::BlockPartition m_partition;
  comm::Communicator const& m_communicator;
  Options m_options;
  std::size_t m_micro_batch;
  network::Workspace<Real, Space> m_workspace;
  linalg::InnerProducts<Real, Space> m_inner_products;
  Constant m_point;
  Counts m_counts;
  Held m_held = Held::nothing;
  std::size_t m_held_micro_batch = 0;

  std::vector<double> m_scalars;
  Matrix<Real, Space> m_products;  // this rank's part of sliced products
  // Only for reproducible sums.
  std::vector<std::size_t> m_first_blocks;
  std::unique_ptr<comm::BlockSum<double, HostSpace>> m_scalar_sum;
  std::unique_ptr<comm::BlockSum<Real, Space>> m_vector_sum;
  std::size_t m_scalar_count = 0;
  std::size_t m_vector_count = 0;
};

}  // namespace onedge::objective
