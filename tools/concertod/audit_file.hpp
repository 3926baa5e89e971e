#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>

#include "aside_files.hpp"

namespace concerto::tools {

/// The file of the audit log, and the files that it was before. A line is in the file for good or
/// not at all: it is synced before `append` returns, and what a full disk has cut short is taken
/// back. Others may append to the same file (`concerto migrate`). Not thread-safe.
class AuditFile {
 public:
  /// Opens the file to append to it. A new file has mode 0600, and the owner of its directory if
  /// root makes it.
  static Result<std::unique_ptr<AuditFile>> open(
      std::filesystem::path file, const Rotation& rotation,
      std::chrono::milliseconds lock_wait = std::chrono::seconds(5));
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  /// Appends a line, which ends with a line break. Puts the file aside first if it would outgrow
  /// its limit. If another process keeps the file locked, the error names it; after that no line
  /// waits for it again until it has let go.
  [[nodiscard]] Result<> append(std::string_view line, WallTime now);
  /// The same for a line about a refused attempt. Such lines have a share of the file beside its
  /// limit, and never cause a file to be put aside or removed. False: the share is used up, and the
  /// line is not written.
  Result<bool> append_refused(std::string_view line);
  /// Opens the file anew by its name. If that fails, the old file stays open.
  [[nodiscard]] Result<> reopen();

  /// The file and those that were put aside, the newest first.
  std::vector<std::filesystem::path> files() const;
  const std::filesystem::path& path() const noexcept { return path_; }
  /// What was found at the last opening and should be told; empty if there is nothing.
  std::string take_finding() { return std::exchange(finding_, {}); }

 private:
  AuditFile(std::filesystem::path file, const Rotation& rotation,
            std::chrono::milliseconds lock_wait);

  Result<> rotate(WallTime now);
  Result<> find_again();
  Result<> append_locked(std::string_view line);
  void close_to_others(const struct stat& state, int descriptor);
  Error failed_to(std::string_view what) const;

  const std::filesystem::path path_;
  const std::uintmax_t bytes_max_;
  const AsideFiles asides_;
  const std::chrono::milliseconds lock_wait_;
  bool waits_for_lock_ = true;
  int descriptor_ = -1;
  std::uintmax_t refused_bytes_ = 0;  ///< of lines about refused attempts in the file
  std::string finding_;
};

}  // namespace concerto::tools
