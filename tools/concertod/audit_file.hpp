#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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
  static Result<std::unique_ptr<AuditFile>> open(std::filesystem::path file,
                                                 const Rotation& rotation);
  ~AuditFile();
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;

  /// Appends a line, which ends with a line break. Puts the file aside first if it would outgrow
  /// its limit.
  [[nodiscard]] Result<> append(std::string_view line, WallTime now);
  /// Opens the file anew by its name. If that fails, the old file stays open.
  [[nodiscard]] Result<> reopen();

  /// The file and those that were put aside, the newest first.
  std::vector<std::filesystem::path> files() const;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  AuditFile(std::filesystem::path file, const Rotation& rotation);

  Result<> rotate(WallTime now);
  Result<> append_locked(std::string_view line);
  Error failed_to(std::string_view what) const;

  const std::filesystem::path path_;
  const std::uintmax_t bytes_max_;
  const AsideFiles asides_;
  int descriptor_ = -1;
};

}  // namespace concerto::tools
