#include <onedge/core/version.hpp>

#include "onedge_revision.hpp"

namespace onedge {

std::string software_version() { return ONEDGE_VERSION; }
std::string git_revision() { return ONEDGE_REVISION; }

}  // namespace onedge
