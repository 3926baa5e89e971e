#pragma once

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mysql_store_fixture.hpp"

namespace concerto::test {

/// The store's user is not the administrator: it may not write while the server is read-only, and
/// there is no connection in reserve for it.
class MysqlFaults : public MysqlStore {
 protected:
  MysqlFaults() {
    under_test_.sql("CREATE OR REPLACE USER concerto@'%'");
    under_test_.sql("GRANT ALL ON *.* TO concerto@'%'");
    under_test_.sql("REVOKE SUPER, READ_ONLY ADMIN, CONNECTION ADMIN ON *.* FROM concerto@'%'");
    under_test_.settings().database.user = "concerto";
    under_test_.restart();
  }

  std::vector<std::string> sessions() {
    std::vector<std::string> ids;
    const auto rows =
        under_test_.sql("SELECT id FROM information_schema.processlist WHERE user = 'concerto'");
    for (const auto& row : rows) ids.push_back(row.at(0));
    return ids;
  }
  /// Ends the store's connections of now. One may have ended already, and the store opens others.
  void end_sessions() {
    const std::vector<std::string> ended = sessions();
    for (const std::string& id : ended) {
      try {
        under_test_.sql("KILL " + id);
      } catch (const std::runtime_error&) {
      }
    }
    EXPECT_TRUE(comes_true([this, &ended] {
      const std::vector<std::string> left = sessions();
      return std::ranges::find_first_of(left, ended) == left.end();
    }));
  }
  /// A counter of the server. (Its list of transactions is not made anew while it is asked for all
  /// the time.)
  std::string counter(const std::string& name) {
    return one(
        "SELECT variable_value FROM information_schema.global_status WHERE variable_name = '" +
        name + "'");
  }
  bool waits_for_lock() { return counter("Innodb_row_lock_current_waits") != "0"; }
  std::string deadlocks() { return counter("Innodb_deadlocks"); }
  /// The errors of commits that have ended.
  struct Running {
    std::vector<std::optional<error_code>> codes;
    bool have_ended() const {
      return std::ranges::all_of(codes, [](const auto& code) { return code.has_value(); });
    }
  };
  void start(Running& running, std::vector<Change> changes) {
    start(under_test_.store(), running, std::move(changes));
  }
  void start(Store& store, Running& running, std::vector<Change> changes) {
    running.codes.resize(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      asio::co_spawn(io_, commit_later(store, std::move(changes[i])),
                     [&running, i](const std::exception_ptr&, const Result<>& done) {
                       running.codes[i] = done ? error_code{} : done.error().code;
                     });
    }
  }
  void expect_all_made(Running& running) {
    EXPECT_TRUE(comes_true([&running] { return running.have_ended(); }));
    for (const auto& code : running.codes) EXPECT_EQ(code, error_code{});
  }
};

}  // namespace concerto::test
