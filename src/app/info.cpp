#include <onedge/comm/environment.hpp>
#include <onedge/core/kokkos.hpp>
#include <onedge/core/version.hpp>
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
       << "MPI       " << mpi_text() << "\n"
       << "HDF5      " << major << "." << minor << "." << release << "\n"
       << "oneDNN    " << dnnl->major << "." << dnnl->minor << "." << dnnl->patch << "\n"
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

/// The key reference in Markdown: docs/keys.md is this text.
std::string key_reference() {
  auto const deck = config::Deck::for_documentation();
  training::TrainingConfig::bind(deck);
  std::ostringstream text;
  text
      << "# Keys of a training deck\n\nPrinted by `onedge info --keys`. A key with a condition (*when*) is valid under "
         "it only; *required* keys have no default.\n";
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

}  // namespace

CLI::App* add_info(CLI::App& app, InfoOptions& options) {
  auto* const command = app.add_subcommand("info", "version, backends, devices, libraries");
  command->add_flag("--keys", options.keys, "every key of a deck, with type, default and meaning");
  return command;
}

int run_info(InfoOptions const& options, comm::MpiCommunicator const& world) {
  if (world.rank() != 0) return exit_finished;
  std::fputs(options.keys ? key_reference().c_str() : versions().c_str(), stdout);
  if (!options.keys) std::printf("ranks     %d, %d on this node\n", world.size(), world.local_size());
  return exit_finished;
}

}  // namespace onedge::app
