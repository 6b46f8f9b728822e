#pragma once
// A folder of one's own under the system's temporary folder, gone with the object.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace onedge::test {

class ScratchFolder {
 public:
  ScratchFolder() {
    auto name = (std::filesystem::temp_directory_path() / "onedge-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
    m_path = name;
  }
  ScratchFolder(ScratchFolder const&) = delete;
  ScratchFolder& operator=(ScratchFolder const&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  std::filesystem::path const& path() const { return m_path; }
  std::filesystem::path operator/(std::string const& name) const { return m_path / name; }

 private:
  std::filesystem::path m_path;
};

inline std::string slurp(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void spit(std::filesystem::path const& path, std::string const& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What the call throws as an E, or "" when it throws nothing.
template <class E, class Call>
std::string message_of(Call const& call) {
  try {
    call();
  } catch (E const& error) {
    return error.what();
  }
  return "";
}

}  // namespace onedge::test
