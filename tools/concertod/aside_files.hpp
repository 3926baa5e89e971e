#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace concerto::tools {

/// When a log file is put aside, and how long it is kept (Log.RotationConfigJSON).
struct Rotation {
  std::uintmax_t bytes_max = std::uintmax_t{100} << 20;  ///< `maxsize`, in MB there
  std::chrono::days age_max{0};                          ///< `maxage`; 0: no limit
  std::size_t files_max = 0;                             ///< `maxbackups`; 0: no limit
  bool local_time = false;                               ///< in the names of files put aside
  bool compress = false;                                 ///< files put aside become .gz
};

/// The files of a log that were put aside: `name-2026-01-31T12-00-00.000.ext`, or the same with
/// `.gz`. Other files are left alone.
class AsideFiles {
 public:
  AsideFiles(std::filesystem::path file, const Rotation& rotation)
      : path_(std::move(file)), rotation_(rotation) {}

  /// The name for a file that is put aside now.
  std::filesystem::path new_name(std::chrono::system_clock::time_point now) const;
  /// The files, the newest first.
  std::vector<std::filesystem::path> list() const;
  /// Removes the files that the rotation does not keep.
  void remove_old(std::chrono::system_clock::time_point now) const;

 private:
  std::filesystem::path path_;
  Rotation rotation_;
};

}  // namespace concerto::tools
