#pragma once
// The result of `onedge sharpness`: eigenvalues and spectral densities at one checkpoint, in one HDF5 file.
#include <onedge/core/precision.hpp>
#include <onedge/io/checkpoint.hpp>
#include <onedge/spectrum/spectral_density.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace onedge::io {

/// What was found of one operator.
struct OperatorSpectrum {
  std::string name;  ///< "hessian", …
  std::vector<double> eigenvalues, residuals;
  std::vector<bool> converged;
  std::int64_t products = 0;
  double seconds = 0;
  std::string solver = {};           ///< that gave the eigenvalues
  bool stopped = false;              ///< before its end; not stored
  std::vector<Values> eigenvectors;  ///< unit vectors of all parameters, in the order of the tensors; may be none
  std::optional<spectrum::SpectralDensity> density;
};

struct SpectrumFile {
  static constexpr std::int64_t format_version = 1;

  std::string checkpoint;  ///< path of the file
  std::string deck;        ///< as it was used
  std::string command_line;
  Precision precision = Precision::single_precision;
  std::int64_t step = 0;
  std::int64_t parameters = 0;
  std::int64_t samples = 0;
  double edge = 2;  ///< of the optimizer: η λ₁ at the edge of stability
  std::vector<OperatorSpectrum> operators;
  std::int64_t micro_batch = 0;            ///< samples that a rank held at once, where it had as many
  std::string train_data = {};             ///< fingerprint of the samples
  std::string checkpoint_train_data = {};  ///< of those that the checkpoint was made with; empty where it does not say
};

/// One group per operator. Error names the file and the cause.
void publish(std::filesystem::path const& path, SpectrumFile const& contents);

}  // namespace onedge::io
