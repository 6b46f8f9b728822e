#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/training/stop_request.hpp>
#include <onedge/training/training_config.hpp>

#include <array>
#include <limits>
#include <string_view>

namespace onedge::training {

namespace {

void bind_walltime(TrainingConfig& config, config::Section& run) {
  std::string text = "auto";
  run.bind(
      "walltime", text,
      "time from its start after which the program must have ended, in seconds or as 1:30:00 (h:mm:ss); it stops in "
      "good time, with exit code 85; auto: a minute before the end of the Slurm job, if it is in one; none: never");
  if (text == "auto") return;
  config.walltime = text == "none" ? 0 : parse_duration(text);
  if (!config.walltime) run.fail("walltime", "must be seconds, h:mm:ss, auto or none, found '" + text + "'");
}

void bind_run(TrainingConfig& config, config::Section run) {
  run.bind("name", config.name, "what the run is called in logs, in plots and in the default of output.directory");
  run.bind("seed", config.seed, "seed of the initial weights, and of the order of the samples in mini-batches",
           config::non_negative);
  if (config.batch.epochs == 0) {
    run.bind("steps", config.steps, "number of updates to make, unless batch.epochs says it", config::non_negative);
  } else {
    config.steps = 0;
    if (run.given("steps")) run.fail("steps", "is given as well as batch.epochs; one of them says how long the run is");
  }
  std::string precision = to_string(config.precision);
  run.choose("precision", precision, {"single", "double"}, "precision of weights, activations and gradients");
  config.precision = precision == "single" ? Precision::single_precision : Precision::double_precision;
  std::string math = "full";
  run.choose(
      "math", math, {"full", "tf32"},
      "products of matrices; tf32: on devices, with factors rounded to 10 bits, faster; only with precision: single, "
      "and only where there is a device");
  config.tf32 = math == "tf32";
  if (config.tf32 && precision == "double")
    run.fail("math", "is tf32, which rounds numbers of single precision; run.precision is double");
  run.bind("block", config.block,
           "samples in a block, the unit of work: ranks own whole blocks, micro-batches are multiples of it",
           config::at_least_one);
  run.bind_or_word(
      "micro_batch", config.micro_batch, "auto", 0,
      "samples that a rank works on at once, a multiple of run.block; auto: as many as memory allows, and in a "
      "run that goes on as many as before",
      config::at_least_one);
  std::string reduction = "fast";
  run.choose("reduction", reduction, {"fast", "reproducible"},
             "sums over samples; fast: the same bits on the same number of ranks; reproducible: the same bits on any "
             "number of ranks and for any micro-batch");
  config.reproducible = reduction == "reproducible";
  run.bind("profile", config.profile,
           "measure where the time goes, by phase and by operation: at the end in the log and in the trajectory");
  run.bind("branch", config.branch,
           "checkpoint to start from, with its optimizer state and its step, and a fresh tuner; empty: none");
  bind_walltime(config, run);
  auto stop = run.section("stop");
  config.loss_above = config.loss_below = std::numeric_limits<double>::quiet_NaN();
  stop.bind_optional("loss_above", config.loss_above, "end the run as diverged once the loss is above this");
  stop.bind_optional("loss_below", config.loss_below, "end the run as finished once the loss is below this");
  if (config.micro_batch % config.block != 0) {
    run.fail("micro_batch", "must be a multiple of run.block (" + std::to_string(config.block) + ")");
  }
}

void bind_output(TrainingConfig& config, config::Section output) {
  config.directory = "runs/" + config.name;
  output.bind("directory", config.directory,
              "where the run is written; by default runs/ and run.name; -d on the command line takes precedence");
  if (config.directory.empty()) output.fail("directory", "must not be empty");
  output.bind("publish", config.publish_seconds,
              "seconds between two writings of trajectory.h5, which is also written at every checkpoint and at the end",
              config::non_negative);
  auto checkpoint = output.section("checkpoint");
  checkpoint.bind("every", config.checkpoint_every,
                  "steps between two checkpoints; number 0 and the last step have one as well; 0: no checkpoints",
                  config::non_negative);
  checkpoint.bind("keep", config.checkpoint_keep,
                  "number of latest checkpoints to keep, besides number 0, which always stays; 0: all",
                  config::non_negative);
}

}  // namespace

TrainingConfig TrainingConfig::bind(config::Deck const& deck) {
  TrainingConfig config;
  auto root = deck.root();
  config.batch = data::BatchConfig::bind(root.section("batch"));
  bind_run(config, root.section("run"));
  config.data = data::DataConfig::bind(root.section("data"));
  config.model.bind(root.section("model"), root.section("loss"));
  if (!config.branch.empty() && !config.model.initial.empty()) {
    root.section("run").fail("branch", "is given as well as model.initial; one of them says where the run starts");
  }
  config.optimizer = optimizer::OptimizerConfig::bind(root.section("optimizer"));
  config.tuner = tuner::TunerConfig::bind(root.section("tuner"));
  auto measure = root.section("measure");
  config.sharpness = spectrum::SharpnessConfig::bind(measure.section("sharpness"));
  measure.section("evaluation")
      .bind("every", config.evaluation_every,
            "steps between two evaluations of the accuracy, and of the test loss where there are test samples; 0: none",
            config::non_negative);
  measure.section("gain").bind(
      "every", config.gain_every,
      "steps between two comparisons of the losses that one step with CDAT's rates of sigma 1 (greedy) and 2 (on edge) "
      "would give; 0: none",
      config::non_negative);
  bind_output(config, root.section("output"));
  root.section("sweep").free_form();  // what it sets has been set, for one case
  deck.check_all_known();
  return config;
}

void apply_math(TrainingConfig const& config) {
  require_input(!config.tf32 || !is_host_space<DefaultSpace>,
                "run.math: tf32 is for devices, and this build computes on processor cores; take run.math=full here");
  linalg::use_tf32(config.tf32);
}

bool may_change_on_resume(std::string const& key) {
  // Data may move; that they are the same is found out from what they hold.
  constexpr std::array<std::string_view, 7> exact{"run.steps", "batch.epochs", "run.micro_batch", "run.walltime",
                                                  "run.name",  "run.profile",  "data.path"};
  for (auto const allowed : exact) {
    if (key == allowed) return true;
  }
  return key.rfind("output.", 0) == 0 || key.rfind("measure.", 0) == 0 || key.rfind("run.stop", 0) == 0;
}

}  // namespace onedge::training
