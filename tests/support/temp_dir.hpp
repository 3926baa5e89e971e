#pragma once

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <system_error>

namespace concerto::test {

/// A directory that is removed after the test. It is in memory if the system has such a file
/// system, because these tests do not need the syncs of a real disk.
class TempDir {
 public:
  TempDir() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    const bool has_memory = std::filesystem::is_directory(memory, none);
    const auto base = has_memory ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "concerto-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace concerto::test
