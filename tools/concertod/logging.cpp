#include "logging.hpp"

#include <limits>
#include <system_error>
#include <vector>

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <concerto/base/masked_url.hpp>

#include "line_text.hpp"
#include "rotating_file.hpp"
#include "secrets.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t queued_lines_max = 8'192;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Writes the protocol's names of levels: `warn` where spdlog says `warning`.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view name = name_of(message.level);
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }

 private:
  static std::string_view name_of(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return "debug";
    if (level == spdlog::level::info) return "info";
    return level == spdlog::level::warn ? "warn" : "error";
  }
};

std::unique_ptr<spdlog::formatter> json_lines() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  // The payload is the rest of the object and was escaped where it was made.
  formatter->add_flag<LevelName>('*').set_pattern(
      R"({"level":"%*","ts":"%Y-%m-%dT%H:%M:%S.%eZ",%v})");
  return formatter;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

/// The file of an output. As in the reference, an output may also be a URL.
std::string file_of(std::string_view output) {
  for (const std::string_view prefix : {"file://localhost/", "file:///"}) {
    if (output.starts_with(prefix)) return std::string{output.substr(prefix.size() - 1)};
  }
  return std::string{output};
}

Result<std::shared_ptr<RotatingFile>> open_file(const std::string& name, const LogConfig& config) {
  Rotation rotation{.bytes_max = std::numeric_limits<std::uintmax_t>::max()};
  if (config.rotation_enabled) {
    std::vector<std::string> unknown;  // reported by the check of the configuration
    CONCERTO_TRY(rotation, rotation_from_json(config.rotation_json, unknown));
  }
  try {
    return std::make_shared<RotatingFile>(name, rotation);
  } catch (const spdlog::spdlog_ex& error) {
    return make_error(Errc::invalid_request,
                      "Log.Outputs: cannot open '" + name + "': " + error.what());
  }
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const LogConfig& config) {
  std::vector<spdlog::sink_ptr> sinks;
  std::vector<std::shared_ptr<RotatingFile>> files;
  for (const std::string& output : split(config.outputs)) {
    if (output == "stderr") {
      sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    } else if (output == "stdout") {
      sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
    } else {
      CONCERTO_TRY(auto file, open_file(file_of(output), config));
      files.push_back(file);
      sinks.push_back(std::move(file));
    }
  }
  try {
    auto log = std::make_unique<Log>(std::move(sinks), config.level);
    log->files_ = std::move(files);
    return log;
  } catch (const spdlog::spdlog_ex& failed) {
    return make_error(Errc::overloaded, failed.what());
  } catch (const std::system_error& failed) {
    return make_error(Errc::overloaded,
                      "the system starts no thread for the log: " + failed.code().message());
  }
}

Log::Log(std::vector<spdlog::sink_ptr> sinks, LogLevel level)
    : level_(level),
      writer_(std::make_shared<spdlog::details::thread_pool>(queued_lines_max, 1)),
      logger_(
          std::make_shared<spdlog::async_logger>("concerto", sinks.begin(), sinks.end(), writer_,
                                                 spdlog::async_overflow_policy::overrun_oldest)) {
  logger_->set_formatter(json_lines());
  logger_->set_level(level_of(level));
  logger_->flush_on(spdlog::level::debug);
}

// Writes what is queued and joins the thread while the logger and its sinks still exist.
Log::~Log() {
  writer_.reset();
}

void Log::set_level(LogLevel level) {
  logger_->set_level(level_of(level));
  level_.store(level, std::memory_order_relaxed);
}

void Log::reopen() {
  for (const auto& file : files_) {
    if (const Result<> opened = file->reopen(); !opened)
      error("Log.Outputs: " + opened.error().detail);
  }
}

// No line shows a password, whoever wrote the text.
std::string Log::masked(std::string_view text) const {
  return masked_urls(without_secrets(std::string{text}, secrets_));
}

void Log::write(LogLevel level, std::string_view gid, std::string_view text, const TraceId& trace) {
  if (!writes(level)) return;
  std::string line = "\"msg\":" + json_text(masked(text));
  if (!gid.empty()) line += ",\"gid\":" + json_text(gid);
  if (trace.is_set()) line += ",\"trace_id\":\"" + trace.str() + "\"";
  logger_->log(level_of(level), line);
}

}  // namespace concerto::tools
