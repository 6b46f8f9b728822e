#pragma once
#include <onedge/io/checkpoint.hpp>
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/spectrum/curvature_operator.hpp>
#include <onedge/spectrum/eigen_tracker.hpp>
#include <onedge/spectrum/sharpness_config.hpp>

#include <functional>
#include <optional>
#include <string>

namespace onedge::training {

/// The largest eigenvalues of one operator at one step. Those of −H are given as H's own: the most negative, ascending.
struct Sharpness {
  std::vector<double> eigenvalues;
  std::vector<double> residuals;  ///< ‖Av − λv‖/|λ|, as in spectrum::EigenPairs
  std::vector<bool> converged;
  std::int64_t products = 0;
  double alignment = 0;  ///< |cos(u, v₁)|; of the preconditioned Hessian |cos(P^1/2 u, v₁)|
  double seconds = 0;
  std::string solver = {};  ///< that gave them
  bool stopped = false;     ///< before its end, because somebody wanted it
};

/// The table of an operator's measurements, and the group of its state in checkpoints.
std::string table_name(spectrum::OperatorKind kind);

/// When to ask for more eigenvalues: while the smallest one times the learning rate is above `above`, up to `most`.
struct Tracking {
  double above = 0;
  int most = 1;
};

/// Measures one operator along a run: H, P^-1/2 H P^-1/2, the Gauss-Newton matrix, or −H. Collective.
template <class Real, class Space>
class SharpnessMeter {
 public:
  using Constant = VectorWindow<Real const, Space>;
  using Vectors = spectrum::ShardedVectors<Real, Space>;
  using Pool = spectrum::VectorPool<Real, Space>;

  SharpnessMeter(objective::Objective<Real, Space>& objective, optimizer::Optimizer<Real, Space> const& optimizer,
                 std::shared_ptr<Pool> pool, spectrum::OperatorKind kind, spectrum::EigenTracker<Real, Space> tracker,
                 std::optional<Tracking> tracking = {});

  /// At the objective's point, with g and u of this step and P as the optimizer has it after that update. The learning
  /// rate is for tracking.
  Sharpness measure(std::int64_t step, Constant gradient, Constant update, double learning_rate = 0);

  spectrum::OperatorKind kind() const { return m_kind; }
  /// Calls work with the operator at the objective's point.
  void with_operator(std::function<void(spectrum::Operator<Real, Space> const&)> const& work);
  spectrum::EigenTracker<Real, Space> const& tracker() const { return m_tracker; }
  void set_tracker(spectrum::EigenTracker<Real, Space> const& tracker) { m_tracker = tracker; }
  /// Eigenvectors of the last measurement, whole on every rank; nothing before the first.
  std::vector<std::vector<Real>> eigenvectors() const;

  /// The eigenvectors for checkpoints; restore takes as many as there are. Throws Error where one has another length.
  io::State state() const;
  void restore(io::State const& state);

 private:
  Vectors slice_of(Constant whole) const;
  Sharpness measure_once(std::int64_t step, Constant gradient, Constant update);
  /// Sets D = P^-1/2, for the preconditioned Hessian.
  void update_diagonal();

  objective::Objective<Real, Space>& m_objective;
  optimizer::Optimizer<Real, Space> const& m_optimizer;
  std::shared_ptr<Pool> m_pool;
  spectrum::OperatorKind m_kind;
  spectrum::EigenTracker<Real, Space> m_tracker;
  std::optional<Tracking> m_tracking;
  spectrum::CurvatureOperator<Real, Space> m_curvature;
  std::optional<Vectors> m_diagonal;
  Vector<Real, Space> m_preconditioner;
};

}  // namespace onedge::training
