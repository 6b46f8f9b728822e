#pragma once
// Files for the readers to read, written by the tests themselves.
#include <onedge/core/error.hpp>
#include <onedge/data/data_config.hpp>

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace onedge::data::test {

using Bytes = std::vector<std::uint8_t>;

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    static int count = 0;
    m_path = std::filesystem::temp_directory_path() /
             ("onedge_data_" + std::to_string(getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(m_path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;

  std::filesystem::path operator/(std::string const& name) const { return m_path / name; }
  std::string string() const { return m_path.string(); }

 private:
  std::filesystem::path m_path;
};

inline void write(std::filesystem::path const& path, Bytes const& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline Bytes bytes_of(std::filesystem::path const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_gz(std::filesystem::path const& path, Bytes const& bytes) {
  gzFile const file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

inline DataConfig config_of(std::string const& set, std::string const& path) {
  DataConfig config;
  config.set = set;
  config.path = path;
  return config;
}

/// The action ends in an InputError whose message contains every one of the parts.
inline void expect_input_error(std::function<void()> const& action, std::vector<std::string> const& parts) {
  try {
    action();
    ADD_FAILURE() << "accepted; expected: " << (parts.empty() ? "" : parts.front());
  } catch (InputError const& error) {
    for (auto const& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "message: " << error.what() << "\nexpected: " << part;
    }
  }
}

}  // namespace onedge::data::test
