#pragma once
// What this build is: for `onedge info`, logs and files.
#include <string>

namespace onedge {

std::string software_version();
/// Git revision of the sources, with "-dirty" when the tree had changes; "unknown" outside a checkout.
std::string git_revision();

}  // namespace onedge
