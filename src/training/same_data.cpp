#include "same_data.hpp"

#include <onedge/core/error.hpp>

#include <utility>

namespace onedge::training {

DataComparison::DataComparison(std::filesystem::path const& stored_in, io::Checkpoint const& checkpoint,
                               data::DataConfig const& config, data::Identity at_hand)
    : file(stored_in.string()),
      path(config.set == "synthetic" ? "data.set: synthetic" : "data.path " + config.path),
      stored(checkpoint.trajectory ? checkpoint.trajectory->description().data : data::Identity()),
      present(std::move(at_hand)) {}

std::string DataComparison::unknown() const {
  if (!stored.train.empty()) return "";
  return concat(file, " does not record what its samples were: whether those of ", path,
                " are the same cannot be told");
}

std::string DataComparison::difference() const {
  auto const compare = [&](char const* split, std::string const& before, std::string const& now) {
    if (before.empty() || now.empty() || before == now) return std::string();
    return concat(file, ": its ", split, " samples were ", before, "; those of ", path, " are ", now);
  };
  auto const train = compare("training", stored.train, present.train);
  return train.empty() ? compare("test", stored.test, present.test) : train;
}

void DataComparison::require_same(std::string const& advice) const {
  auto const text = difference();
  require_input(text.empty(), text, "; ", advice);
}

data::Identity DataComparison::joined() const {
  return {present.train, present.test.empty() ? stored.test : present.test};
}

}  // namespace onedge::training
