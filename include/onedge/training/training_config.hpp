#pragma once
#include <onedge/config/deck.hpp>
#include <onedge/core/precision.hpp>
#include <onedge/data/batch.hpp>
#include <onedge/data/data_config.hpp>
#include <onedge/model/model.hpp>
#include <onedge/optimizer/optimizer.hpp>
#include <onedge/spectrum/sharpness_config.hpp>
#include <onedge/tuner/tuner.hpp>

#include <optional>
#include <string>

namespace onedge::training {

/// A training deck, every section of it. The keys: docs/keys.md.
struct TrainingConfig {
  std::string name = "run";
  std::int64_t seed = 0;
  std::int64_t steps = 300;  // 0 as long as batch.epochs has not become steps
  Precision precision = Precision::single_precision;
  std::int64_t block = 64;
  std::int64_t micro_batch = 0;  // 0: auto
  bool reproducible = false;
  bool profile = false;
  bool tf32 = false;               // products of floats on devices
  double loss_above = 0;           // NaN: no limit
  double loss_below = 0;           // NaN: no limit
  std::string branch;              // checkpoint to start from; empty: none
  std::optional<double> walltime;  // seconds; 0: no limit; nothing: Slurm's

  data::DataConfig data;
  data::BatchConfig batch;
  model::ModelConfig model;
  optimizer::OptimizerConfig optimizer;
  tuner::TunerConfig tuner;

  std::int64_t evaluation_every = 0;  // 0: never
  std::int64_t gain_every = 0;        // 0: never
  spectrum::SharpnessConfig sharpness;

  std::string directory;
  double publish_seconds = 10;
  std::int64_t checkpoint_every = 0;  // 0: none
  std::int64_t checkpoint_keep = 2;

  /// Binds every key and checks that no other is there. Throws InputError.
  static TrainingConfig bind(config::Deck const& deck);
};

/// Puts run.math into effect. Throws InputError where it needs a device and there is none.
void apply_math(TrainingConfig const& config);

/// Whether a run may go on under a deck that differs from its stored one in this key.
bool may_change_on_resume(std::string const& key);

}  // namespace onedge::training
