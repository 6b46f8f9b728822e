#pragma once
#include <onedge/comm/communicator.hpp>
#include <onedge/core/profile.hpp>
#include <onedge/io/trajectory.hpp>

#include <string>
#include <vector>

namespace onedge::training {

/// The profiles of all ranks as one, on every rank. Collective.
std::vector<io::ProfileRow> gather_profile(Profile const& profile, comm::Communicator const& communicator);

/// What a person reads of it: time per step by phase, of communication, and by operation.
std::string profile_text(std::vector<io::ProfileRow> const& rows);

}  // namespace onedge::training
