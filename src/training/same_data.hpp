#pragma once
// Whether the samples at hand are those that a stored state was made with.
#include <onedge/data/data_config.hpp>
#include <onedge/data/fingerprint.hpp>
#include <onedge/io/checkpoint.hpp>

#include <filesystem>
#include <string>

namespace onedge::training {

/// The samples that a checkpoint was made with, and those at hand.
struct DataComparison {
  std::string file;  ///< the checkpoint
  std::string path;  ///< of the samples at hand
  data::Identity stored;
  data::Identity present;

  DataComparison(std::filesystem::path const& stored_in, io::Checkpoint const& checkpoint,
                 data::DataConfig const& config, data::Identity at_hand);

  /// A line where nobody recorded what the samples were; else empty.
  std::string unknown() const;
  /// What differs, both fingerprints included; empty where nothing is known to differ.
  std::string difference() const;
  /// Throws InputError with the difference and this advice where there is one.
  void require_same(std::string const& advice) const;
  /// What a run that goes on records: the samples at hand, and test samples of before that it no longer looks at.
  data::Identity joined() const;
};

}  // namespace onedge::training
