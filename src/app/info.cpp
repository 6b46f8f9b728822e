#include <onedge/comm/device.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/core/version.hpp>
#include <onedge/linalg/matmul.hpp>
#include <onedge/training/training_config.hpp>

#include <CLI/CLI.hpp>
#include <cblas.h>
#include <dnnl.h>
#include <hdf5.h>
#include <spdlog/version.h>
#include <zlib.h>

#include <cstdio>
#include <sstream>

#include "commands.hpp"
#include "dynamics_deck.hpp"

namespace onedge::app {

namespace {

std::string blas_text() {
#if defined(OPENBLAS_VERSION)
  return openblas_get_config();
#else
  return "generic";
#endif
}

std::string mpi_text() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  std::string const whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find(','));
}

std::string kokkos_text() {
  std::ostringstream text;
  text << KOKKOS_VERSION / 10000 << "." << KOKKOS_VERSION / 100 % 100 << "." << KOKKOS_VERSION % 100;
  return text.str();
}

std::string versions() {
  std::ostringstream text;
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  auto const* const dnnl = dnnl_version();
  text << "onedge    " << software_version() << " (" << git_revision() << ")\n"
       << "backend   " << comm::backend_name() << ", host kernels " << HostSpace::name() << "\n"
       << "Kokkos    " << kokkos_text() << "\n"
       << "MPI       " << mpi_text() << "\n";
  if (!comm::nccl_version().empty()) text << "NCCL      " << comm::nccl_version() << "\n";
  text << "HDF5      " << major << "." << minor << "." << release << "\n"
       << "oneDNN    " << dnnl->major << "." << dnnl->minor << "." << dnnl->patch
       << (linalg::has_matrix_unit() ? ", large products of floats on AMX" : "") << "\n"
       << "BLAS      " << blas_text() << "\n"
       << "zlib      " << zlibVersion() << "\n"
       << "spdlog    " << SPDLOG_VER_MAJOR << "." << SPDLOG_VER_MINOR << "." << SPDLOG_VER_PATCH << "\n";
  return text.str();
}

std::string cell(std::string const& text) {
  std::string result;
  for (char const c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

/// "number > 0", "integer >= 1 or auto".
std::string type_of(config::KeyDescription const& key) {
  if (key.range.empty()) return key.type;
  auto const word = key.type.find(" or ");
  return word == std::string::npos ? key.type + " " + key.range
                                   : key.type.substr(0, word) + " " + key.range + key.type.substr(word);
}

std::string tables(config::Deck const& deck) {
  std::ostringstream text;
  std::string section;
  for (auto const& key : deck.keys()) {
    std::string const here = key.path.substr(0, key.path.find('.'));
    if (here != section) {
      text << "\n## " << here << "\n\n| key | when | type | default | meaning |\n|---|---|---|---|---|\n";
      section = here;
    }
    text << "| `" << key.path << "` | " << cell(key.condition) << " | " << cell(type_of(key)) << " | `"
         << cell(key.default_value) << "` | " << cell(key.meaning) << " |\n";
  }
  return text.str();
}

constexpr char const* sweep_reference = R"(
## sweep

Other keys, each with the values that it takes in turn. The cases are the Cartesian product, in the order of the deck: the
last key varies fastest. `onedge cases DECK` lists them, `onedge train DECK --case N` runs one, in the directory
`case-NNNN` (from `case-0000`) below `output.directory`, under the deck with these values in it.

| form | values |
|---|---|
| `tuner.sigma: [1.0, 2.0]` | those of the list |
| `tuner.kind: constant` | this one |
| `run.seed: {from: 0, to: 4}` | 0, 1, 2, 3, 4 |
| `tuner.sigma: {from: 0.4, to: 2.8, by: 0.2}` | 0.4, 0.6, …, 2.8 |
| `tuner.learning_rate: {from: 1.0e-3, times: 2, count: 4}` | 0.001, 0.002, 0.004, 0.008 |
| `parts: {one: {…}, other: {…}}` | the cases of each part, one part after another; a part holds keys as `sweep` does |

`tuner: {kind: constant, learning_rate: [0.1, 0.2]}` is the same as `tuner.kind: constant` and
`tuner.learning_rate: [0.1, 0.2]`. Grids of integers are integers; other values are rounded to twelve digits. What a
sweep sets must not be set on the command line; the sweep itself may be: `sweep.tuner.sigma=[1.0, 2.0]`.

)";

/// The keys of toy models, which have decks of their own.
std::string dynamics_reference() {
  auto const deck = config::Deck::for_documentation();
  DynamicsDeck::bind(deck);
  return "# Keys of a deck of `onedge dynamics`\n" + tables(deck);
}

/// The key reference in Markdown: docs/keys.md is this text.
std::string key_reference() {
  auto const deck = config::Deck::for_documentation();
  training::TrainingConfig::bind(deck);
  std::ostringstream text;
  text
      << "# Keys of a training deck\n\nPrinted by `onedge info --keys`. A key with a condition (*when*) is valid under "
         "it only; *required* keys have no default.\n";
  text << tables(deck) << sweep_reference << dynamics_reference();
  return text.str();
}

}  // namespace

CLI::App* add_info(CLI::App& app, InfoOptions& options) {
  auto* const command = app.add_subcommand("info", "version, backends, devices, libraries");
  command->add_flag("--keys", options.keys, "every key of a deck, with type, default and meaning");
  return command;
}

int run_info(InfoOptions const& options, comm::Launch const& launch) {
  std::fputs(options.keys ? key_reference().c_str() : versions().c_str(), stdout);
  if (options.keys) return exit_finished;
  for (auto const& device : comm::visible_devices()) std::printf("device    %s\n", device.c_str());
  std::printf("ranks     %d, %d on this node\n", launch.size, launch.local_size);
  return exit_finished;
}

}  // namespace onedge::app
