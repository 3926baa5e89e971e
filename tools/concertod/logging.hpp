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

/// The process's log: JSON lines `{"level":..,"ts":..,"msg":..,"gid":..,"trace_id":..}`, UTC, one
/// per event, whatever bytes a text has: bytes that are not UTF-8 become U+FFFD, and control
/// characters, C1 included, are escaped.
///
/// Lines are queued, and the log's own thread writes them, so that no caller waits for a disk. When
/// the queue is full, the oldest lines are dropped. The destructor writes the queued lines.
/// Thread-safe.
class Log {
 public:
  /// Opens the outputs. An error names the output or the rotation key that is wrong.
  static Result<std::unique_ptr<Log>> open(const LogConfig& config);

  /// For tests and embedders: a log with one sink of the caller.
  Log(std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks, LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool writes(LogLevel level) const noexcept {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(LogLevel level);

  /// Shows `***` in place of these texts from now on. Call it before other threads use the log.
  void hide(std::vector<std::string> secrets) { secrets_ = std::move(secrets); }
  /// The text as the log shows it: without these texts and without passwords in URLs.
  std::string masked(std::string_view text) const;

  /// Opens the log's files anew by their names, so that a program that renames them (logrotate)
  /// gets complete files. If a file cannot be opened, the log names it and goes on writing to the
  /// old file.
  void reopen();
  /// `trace`: that of the transaction or request, if it has one.
  void write(LogLevel level, std::string_view gid, std::string_view text,
             const TraceId& trace = {});

  void debug(std::string_view text) { write(LogLevel::debug, {}, text); }
  void info(std::string_view text) { write(LogLevel::info, {}, text); }
  void warn(std::string_view text) { write(LogLevel::warn, {}, text); }
  void error(std::string_view text) { write(LogLevel::error, {}, text); }

 private:
  std::atomic<LogLevel> level_;
  std::vector<std::string> secrets_;
  std::shared_ptr<spdlog::details::thread_pool> writer_;
  std::shared_ptr<spdlog::logger> logger_;
  std::vector<std::shared_ptr<RotatingFile>> files_;  ///< among the logger's outputs
};

/// Writes the engine's log lines to a Log. Observers for metrics derive from it or are used beside
/// it.
class LogObserver : public Observer {
 public:
  explicit LogObserver(Log& log) : log_(log) {}
  void log(LogLevel level, std::string_view gid, std::string_view text) override {
    log_.write(level, gid, text);
  }
  void log_in_trace(LogLevel level, std::string_view gid, const TraceId& trace,
                    std::string_view text) override {
    log_.write(level, gid, text, trace);
  }
  bool logs(LogLevel level) const noexcept override { return log_.writes(level); }

 private:
  Log& log_;
};

}  // namespace concerto::tools
