#pragma once
// What is recorded of one start of the program.
#include <onedge/comm/communicator.hpp>
#include <onedge/io/trajectory.hpp>

namespace onedge::training {

/// Collective; the hosts are those of all ranks, each once.
io::Segment make_segment(comm::Communicator const& communicator, std::int64_t first_step, std::int64_t micro_batch);

/// What to warn of when the processors or libraries of ranks differ; empty where they do not.
std::string unlike_ranks(io::Segment const& segment);

}  // namespace onedge::training
