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

#include "aside_files.hpp"

namespace concerto::tools {

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

  std::filesystem::path path_;
  Rotation rotation_;
  AsideFiles asides_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uintmax_t bytes_ = 0;
};

}  // namespace concerto::tools
