#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/engine/observer.hpp>

#include "config.hpp"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace concerto::tools {

class RotatingFile;

/// The process's log: JSON lines `{"level":..,"ts":..,"msg":..,"gid":..}`, UTC, one per event,
/// whatever bytes a text has: those that are no UTF-8 become U+FFFD, and control characters, C1
/// too, are escaped.
///
/// Lines are queued and written by one thread of the log's own, so that no caller waits for a
/// disk; when the queue is full the oldest lines go. The destructor writes what is queued.
/// Thread-safe.
class Log {
 public:
  /// Opens the outputs. An error names the output or the rotation key that is wrong.
  static Result<std::unique_ptr<Log>> open(const LogConfig& config);

  /// For tests and embedders: one sink of their own.
  Log(std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks, LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool writes(LogLevel level) const noexcept {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(LogLevel level);

  /// Opens the log's files anew by their names, so that a program that renames them (logrotate)
  /// gets whole files. One that cannot be opened is named in the log, and written on.
  void reopen();
  void write(LogLevel level, std::string_view gid, std::string_view text);

  void debug(std::string_view text) { write(LogLevel::debug, {}, text); }
  void info(std::string_view text) { write(LogLevel::info, {}, text); }
  void warn(std::string_view text) { write(LogLevel::warn, {}, text); }
  void error(std::string_view text) { write(LogLevel::error, {}, text); }

 private:
  std::atomic<LogLevel> level_;
  std::shared_ptr<spdlog::details::thread_pool> writer_;
  std::shared_ptr<spdlog::logger> logger_;
  std::vector<std::shared_ptr<RotatingFile>> files_;  ///< among the logger's outputs
};

/// Brings the core's log lines into a Log. Metrics derive from it or stand beside it.
class LogObserver : public Observer {
 public:
  explicit LogObserver(Log& log) : log_(log) {}
  void log(LogLevel level, std::string_view gid, std::string_view text) override {
    log_.write(level, gid, text);
  }
  bool logs(LogLevel level) const noexcept override { return log_.writes(level); }

 private:
  Log& log_;
};

}  // namespace concerto::tools
