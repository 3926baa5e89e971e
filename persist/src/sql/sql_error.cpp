#include "sql_error.hpp"

namespace concerto::persist {
namespace {

class SqlCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.sql"; }
  std::string message(int value) const override {
    switch (static_cast<SqlErrc>(value)) {
      case SqlErrc::rolled_back:
        return "the database rolled the transaction back";
      case SqlErrc::not_now:
        return "the database does not serve now";
      case SqlErrc::no_connection_left:
        return "the database has no connection left";
      case SqlErrc::answer_lost:
        return "the database's answer was lost";
      case SqlErrc::refused:
        return "the database refuses the statement";
      case SqlErrc::branch_exists:
        return "branch exists";
      case SqlErrc::wrong_schema:
        return "the database's tables cannot be used";
    }
    return "unknown error";
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<SqlErrc>(value)) {
      case SqlErrc::rolled_back:
      case SqlErrc::not_now:
      case SqlErrc::no_connection_left:
      case SqlErrc::wrong_schema:
        return make_error_condition(Condition::retry_later);
      case SqlErrc::answer_lost:
        return make_error_condition(Condition::outcome_unknown);
      case SqlErrc::refused:
      case SqlErrc::branch_exists:
        return make_error_condition(Condition::rejected);
    }
    return make_error_condition(Condition::outcome_unknown);
  }
};

}  // namespace

const boost::system::error_category& sql_category() noexcept {
  static const SqlCategory category;
  return category;
}

boost::system::error_code make_error_code(SqlErrc code) noexcept {
  return {static_cast<int>(code), sql_category()};
}

SqlErrc class_of_sqlstate(std::string_view sqlstate) noexcept {
  const std::string_view group = sqlstate.substr(0, 2);
  // 40: deadlock, serialization failure. 55P03: a lock was not free in time. 57014: the statement
  // took too long and was ended.
  if (group == "40" || sqlstate == "55P03" || sqlstate == "57014") return SqlErrc::rolled_back;
  // 08: connection. 25006: read-only after a failover. 53: no connections, memory or disk space
  // left. 57P01 to 57P05: shutdown, crash, start. 58: the system of the server. XX: its own faults.
  if (group == "08" || sqlstate == "25006" || group == "53" || group == "57" || group == "58" ||
      group == "XX") {
    return SqlErrc::not_now;
  }
  // 28 and 3D: user or database. 42P01, 42703, 42501: table, column, right. 3F: schema.
  if (group == "28" || group == "3D" || group == "3F" || sqlstate == "42P01" ||
      sqlstate == "42703" || sqlstate == "42501") {
    return SqlErrc::wrong_schema;
  }
  return SqlErrc::refused;
}

}  // namespace concerto::persist
