#pragma once

namespace onedge::comm {

/// The place of this process among those that were started with it, as its launcher says without MPI: OpenMPI's mpirun,
/// mpiexec of the Hydra family, Slurm's srun. Alone where none of them says anything.
struct Launch {
  int rank = 0;
  int size = 1;
  int local_size = 1;  // processes of this node
};
Launch launch_of_this_process();

}  // namespace onedge::comm
