// Attributes that say who wrote a file, and which samples it is about.
#include <onedge/core/version.hpp>

#include "values.hpp"

namespace onedge::io {

namespace {

std::string text_or(hdf5::Group const& group, std::string const& name, std::string const& otherwise) {
  return group.has_attribute(name) ? group.attribute<std::string>(name) : otherwise;
}

}  // namespace

Writer this_program() { return {software_version(), git_revision()}; }

Writer read_writer(hdf5::Group const& group) {
  return {text_or(group, "software_version", "unknown"), text_or(group, "git_revision", "unknown")};
}

void write_writer(hdf5::Group& group) {
  group.write_attribute("software_version", software_version());
  group.write_attribute("git_revision", git_revision());
}

void write_identity(hdf5::Group& group, data::Identity const& identity) {
  if (!identity.train.empty()) group.write_attribute("train_data", identity.train);
  if (!identity.test.empty()) group.write_attribute("test_data", identity.test);
}

data::Identity read_identity(hdf5::Group const& group) {
  return {text_or(group, "train_data", ""), text_or(group, "test_data", "")};
}

}  // namespace onedge::io
