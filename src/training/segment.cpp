#include "segment.hpp"

#include <onedge/comm/device.hpp>
#include <onedge/comm/environment.hpp>
#include <onedge/core/error.hpp>
#include <onedge/core/version.hpp>
#include <onedge/linalg/matmul.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace onedge::training {

namespace {

/// The texts of all ranks, each once, joined by commas. Collective.
std::string gather_once(comm::Communicator const& communicator, std::string const& text) {
  std::vector<std::string> texts;
  for (auto const& one : communicator.gather(text)) {
    if (!one.empty() && std::find(texts.begin(), texts.end(), one) == texts.end()) texts.push_back(one);
  }
  std::string joined;
  for (auto const& one : texts) joined += (joined.empty() ? "" : ",") + one;
  return joined;
}

}  // namespace

io::Segment make_segment(comm::Communicator const& communicator, std::int64_t first_step, std::int64_t micro_batch) {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  io::Segment segment;
  segment.first_step = first_step;
  segment.ranks = communicator.size();
  segment.micro_batch = micro_batch;
  segment.backend = comm::backend_name();
  segment.devices = gather_once(communicator, comm::device_name());
  segment.communicator = (communicator.device() != nullptr ? *communicator.device() : communicator).name();
  segment.arithmetic = gather_once(communicator, linalg::host_arithmetic());
  segment.hosts = gather_once(communicator, host);
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

std::string unlike_ranks(io::Segment const& segment) {
  if (segment.arithmetic.find(',') == std::string::npos) return {};
  return concat("ranks compute with unlike processors or libraries (", segment.arithmetic,
                "): the run goes on, but its bits are those of no other set of ranks");
}

}  // namespace onedge::training
