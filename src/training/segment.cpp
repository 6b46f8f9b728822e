#include "segment.hpp"

#include <onedge/comm/environment.hpp>
#include <onedge/core/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace onedge::training {

io::Segment make_segment(comm::Communicator const& communicator, std::int64_t first_step) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  std::vector<std::string> hosts = communicator.gather(host);
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  io::Segment segment;
  segment.first_step = first_step;
  segment.ranks = communicator.size();
  segment.backend = comm::backend_name();
  for (auto const& name : hosts) segment.hosts += (segment.hosts.empty() ? "" : ",") + name;
  if (char const* const job = std::getenv("SLURM_JOB_ID")) segment.job_id = job;
  segment.revision = git_revision();
  char time[64] = {};
  std::time_t const now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(time, sizeof time, "%FT%T%z", &local);
  segment.time = time;
  return segment;
}

}  // namespace onedge::training
