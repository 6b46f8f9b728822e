#include <onedge/training/training_config.hpp>

#include <array>
#include <limits>
#include <string_view>

namespace onedge::training {

namespace {

void bind_run(TrainingConfig& config, config::Section run) {
  run.bind("name", config.name, "what the run is called, in logs and plots");
  run.bind("seed", config.seed, "of the initial weights", config::non_negative);
  run.bind("steps", config.steps, "updates to make", config::non_negative);
  std::string precision = to_string(config.precision);
  run.choose("precision", precision, {"single", "double"}, "of weights, activations and gradients; sums are in double");
  config.precision = precision == "single" ? Precision::single_precision : Precision::double_precision;
  run.bind("block", config.block,
           "samples in a block, the unit of work: ranks own whole blocks, micro-batches are multiples of it",
           config::at_least_one);
  run.bind_or_word("micro_batch", config.micro_batch, "auto", 0,
                   "samples that a rank holds at once, a multiple of run.block; auto: as many as memory allows",
                   config::at_least_one);
  std::string reduction = "fast";
  run.choose("reduction", reduction, {"fast", "reproducible"},
             "fast: the same bits on one number of ranks; reproducible: on any number of ranks, for any micro-batch");
  config.reproducible = reduction == "reproducible";
  auto stop = run.section("stop");
  config.loss_above = config.loss_below = std::numeric_limits<double>::quiet_NaN();
  stop.bind_optional("loss_above", config.loss_above, "end as diverged once the loss is above this");
  stop.bind_optional("loss_below", config.loss_below, "end as finished once the loss is below this");
  if (config.micro_batch % config.block != 0) {
    run.fail("micro_batch", "must be a multiple of run.block (" + std::to_string(config.block) + ")");
  }
}

void bind_output(TrainingConfig& config, config::Section output) {
  config.directory = "runs/" + config.name;
  output.bind("directory", config.directory,
              "the run directory; -d on the command line goes before; runs/NAME when absent");
  output.bind("publish", config.publish_seconds, "seconds between two publications of trajectory.h5",
              config::non_negative);
  auto checkpoint = output.section("checkpoint");
  checkpoint.bind("every", config.checkpoint_every, "steps between two checkpoints; 0: none", config::non_negative);
  checkpoint.bind("keep", config.checkpoint_keep, "checkpoints to keep beside number 0; 0: all", config::non_negative);
}

}  // namespace

TrainingConfig TrainingConfig::bind(config::Deck const& deck) {
  TrainingConfig config;
  auto root = deck.root();
  bind_run(config, root.section("run"));
  config.data = data::DataConfig::bind(root.section("data"));
  config.model.bind(root.section("model"), root.section("loss"));
  config.optimizer = optimizer::OptimizerConfig::bind(root.section("optimizer"));
  config.tuner = tuner::TunerConfig::bind(root.section("tuner"));
  root.section("measure")
      .section("evaluation")
      .bind("every", config.evaluation_every, "steps between two evaluations of accuracy and test loss; 0: none",
            config::non_negative);
  bind_output(config, root.section("output"));
  deck.check_all_known();
  return config;
}

bool may_change_on_resume(std::string const& key) {
  constexpr std::array<std::string_view, 3> exact{"run.steps", "run.micro_batch", "run.name"};
  for (auto const allowed : exact) {
    if (key == allowed) return true;
  }
  return key.rfind("output.", 0) == 0 || key.rfind("measure.", 0) == 0 || key.rfind("run.stop", 0) == 0;
}

}  // namespace onedge::training
