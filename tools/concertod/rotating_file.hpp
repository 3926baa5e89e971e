#pragma once

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spdlog/sinks/base_sink.h>

#include <concerto/base/error.hpp>

namespace concerto::tools {

/// When a log file is put aside, and how long it is kept (Log.RotationConfigJSON).
struct Rotation {
  std::uintmax_t bytes_max = std::uintmax_t{100} << 20;  ///< `maxsize`, in MB there
  std::chrono::days age_max{0};                          ///< `maxage`; 0: no limit
  std::size_t files_max = 0;                             ///< `maxbackups`; 0: no limit
  bool local_time = false;                               ///< in the names of files put aside
  bool compress = false;                                 ///< files put aside become .gz
};

/// Reads Log.RotationConfigJSON. Names of members may have any case, as in the reference. The names
/// of members without an effect are added to `unknown`, so that a misspelt name can be reported.
Result<Rotation> rotation_from_json(const std::string& json, std::vector<std::string>& unknown);

/// A log file that is put aside as `name-2026-01-31T12-00-00.000.ext` before it outgrows its
/// limit. Files put aside by an earlier run count.
class RotatingFile final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Opens the file to append to it. Throws spdlog_ex if that fails.
  RotatingFile(std::filesystem::path file, const Rotation& rotation);

  /// Opens the file anew by its name, after another program has renamed it. If that fails, lines
  /// still go to the old file. Thread-safe.
  [[nodiscard]] Result<> reopen();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

  Result<> open();
  void rotate(std::chrono::system_clock::time_point now);
  std::filesystem::path aside_name(std::chrono::system_clock::time_point now) const;
  void remove_old(std::chrono::system_clock::time_point now) const;

  std::filesystem::path path_;
  Rotation rotation_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uintmax_t bytes_ = 0;
};

}  // namespace concerto::tools
