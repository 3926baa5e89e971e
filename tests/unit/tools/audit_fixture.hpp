#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "audit_log.hpp"
#include "await_result.hpp"
#include "fake_clock.hpp"
#include "temp_dir.hpp"

namespace concerto::tools {

inline net::AuditRecord record_of(const std::string& gid,
                                  net::AuditRecord::Event event = net::AuditRecord::Event::begun) {
  net::AuditRecord record;
  record.event = event;
  record.id = "1";
  record.action = "forceStop";
  record.from = "10.0.0.7:51234";
  record.gid = gid;
  return record;
}

/// An audit log in a directory of its own, and what the log of the process has told.
class AuditLogs : public testing::Test {
 protected:
  std::unique_ptr<AuditLog> open(AuditConfig config = {}) {
    config.file = file();
    auto opened = AuditLog::open(config, clock_, *log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
    return std::move(*opened);
  }
  /// All lines of the process's log, which ends with this call.
  std::string told() {
    log_.reset();
    return lines_.str();
  }
  std::string file() const { return directory_.path() + "/audit.log"; }

  net::AuditPage read(AuditLog& log, net::AuditQuery query) {
    return *test::await_result(io_, log.read(std::move(query)));
  }
  /// All there is to tell.
  net::AuditPage read(AuditLog& log) {
    net::AuditQuery query;
    query.tells_local = true;
    return read(log, std::move(query));
  }

  /// The gids of these records.
  static std::vector<std::string> gids(const net::AuditPage& page) {
    std::vector<std::string> found;
    for (const std::string& line : page.records) {
      found.emplace_back(boost::json::parse(line).at("gid").as_string());
    }
    return found;
  }

  asio::io_context io_{1};  ///< outlives the logs, whose threads may still be leaving it
  test::TempDir directory_;
  test::FakeClock clock_;
  std::ostringstream lines_;
  std::unique_ptr<Log> log_ = std::make_unique<Log>(
      std::vector<std::shared_ptr<spdlog::sinks::sink>>{
          std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_)},
      LogLevel::info);
};

}  // namespace concerto::tools
