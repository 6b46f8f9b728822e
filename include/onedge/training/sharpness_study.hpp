#pragma once
#include <onedge/comm/mpi_communicator.hpp>
#include <onedge/spectrum/sharpness_config.hpp>
#include <onedge/spectrum/spectral_density.hpp>
#include <onedge/training/log.hpp>
#include <onedge/training/stop_request.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace onedge::training {

/// What `onedge sharpness` is asked for.
struct SharpnessStudy {
  std::filesystem::path checkpoint;
  std::vector<std::string> overrides;  ///< "data.path=…": keys of data, and of run those that change no result
  std::vector<spectrum::OperatorKind> operators = {spectrum::OperatorKind::hessian};
  int count = 5;
  spectrum::SolverOptions solver;
  bool eigenvectors = false;  ///< write them too
  bool other_data = false;    ///< the samples may be others than the checkpoint's; so may they after a data.* override
  std::optional<spectrum::DensityOptions> density;
  std::filesystem::path output;
  std::string command_line;
};

/// Eigenvalues at a stored state: P is the optimizer's after the update that the step of the checkpoint would make, as
/// in a trajectory's tables. Says the values on the log and writes `output`. Throws InputError (through
/// comm::SharedError) for a checkpoint or override that will not do, and SharedError where a stop is asked for before
/// the last operator: then nothing is written. Collective.
void study_sharpness(SharpnessStudy const& study, comm::MpiCommunicator const& communicator, Log& log,
                     StopRequest& stop);

}  // namespace onedge::training
