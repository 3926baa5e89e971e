#include <array>
#include <string>
#include <unistd.h>
#include <utility>

#include <concerto/base/assert.hpp>

#include "sql_store_calls.hpp"

/// How a SqlStore finds out that another coordinator has another time zone (decision 0008).
namespace concerto::persist {
namespace {

/// The name of this machine for people, in characters that need no quotes.
std::string host_name() {
  std::array<char, 65> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  std::string host(name.data());
  for (char& c : host) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!is_plain) c = '-';
  }
  return host.empty() ? "unknown" : host;
}

/// The connection serves, and the rest of the store may be well: the user lacks a right, or
/// somebody has locked the table.
bool is_of_statement(const Error& error) {
  return error.code == SqlErrc::refused || error.code == SqlErrc::wrong_schema ||
         error.code == SqlErrc::rolled_back;
}

}  // namespace

Result<> SqlStore::may_take_work() const {
  if (may_take_work_.load(std::memory_order_relaxed)) return ok();
  return make_error(EngineErrc::store_busy,
                    "the coordinators on this database differ in their time zones, or have not "
                    "compared them yet");
}

bool SqlStore::zone_is_due() const noexcept {
  const bool checks = options_.checks_zone && connector_->has_zoneless_times();
  return checks && zones_.is_due(clock_.steady_now());
}

/// The verdict is no error: the database serves those who ask.
Async<> SqlStore::check_zone(SqlConnection& connection) {
  if (!zone_is_due()) co_return ok();
  zone_verdict_ = ZoneWatch::Verdict::agrees;
  ZoneRecords* const records = connection.zone_records();
  CONCERTO_ASSERT(records != nullptr);
  zone_trouble_.clear();
  const Result<> compared = co_await compare_zones(*records);
  if (compared) note_zone_trouble();
  may_take_work_.store(zones_.works(), std::memory_order_relaxed);
  note_zones();
  co_return compared;
}

void SqlStore::note_zones() {
  const bool agrees = zone_verdict_ == ZoneWatch::Verdict::agrees;
  std::string conflict = agrees ? "" : connector_->place() + ": " + zones_.reason();
  const MutexLock lock(mutex_);
  // While the store opens, `open` tells.
  if (is_open_ && agrees != zone_conflict_.empty()) {
    observer_.log(agrees ? LogLevel::info : LogLevel::error, {},
                  agrees ? "the store serves: " + connector_->place()
                         : "the store does not serve: " + conflict);
  }
  zone_conflict_ = std::move(conflict);
}

/// Without a record, this coordinator looks first: so one that is refused leaves no trace that
/// others would have to judge. With a record it looks again, because others may have done the same.
Async<> SqlStore::compare_zones(ZoneRecords& records) {
  if (has_zone_record_ && zones_.has_lapsed(clock_.steady_now())) {
    CONCERTO_CO_CHECK(co_await drop_zone_record(records));
  }
  if (has_zone_record_) CONCERTO_CO_CHECK(co_await keep_zone_record(records));
  for (;;) {
    const Result<ZoneLook> look = co_await records.look_at_zones();
    if (!look) co_return go_on_without_zones(look.error());
    zone_verdict_ = zones_.judge(*look, clock_.steady_now());
    if (zone_verdict_ != ZoneWatch::Verdict::agrees) {
      if (has_zone_record_) CONCERTO_CO_CHECK(co_await drop_zone_record(records));
      co_return ok();
    }
    if (has_zone_record_) {
      std::vector<ZoneRecord> dead = zones_.dead(*look);
      if (!dead.empty())
        ignore_error(co_await records.remove_zones(std::move(dead)), "tried again");
      co_return ok();
    }
    const Result<> added = co_await records.add_zone(host_name());
    if (!added) co_return go_on_without_zones(added.error());
    has_zone_record_ = true;
  }
}

Async<> SqlStore::keep_zone_record(ZoneRecords& records) {
  const Result<bool> renewed = co_await records.renew_zone(host_name());
  if (renewed) {
    has_zone_record_ = *renewed;
    co_return ok();
  }
  co_return go_on_without_zones(renewed.error());
}

Async<> SqlStore::drop_zone_record(ZoneRecords& records) {
  const Result<> removed = co_await records.remove_zone();
  if (removed || is_of_statement(removed.error())) has_zone_record_ = false;
  co_return has_zone_record_ ? removed : ok();
}

/// Transactions do not depend on the records. So a user who may not read or write them can work.
Result<> SqlStore::go_on_without_zones(const Error& error) {
  if (!is_of_statement(error)) return error;
  zone_trouble_ = error.detail;
  zones_.work_without(clock_.steady_now());
  return ok();
}

/// A trouble of the whole store has a line already, and one that passes needs none.
void SqlStore::note_zone_trouble() {
  if (zone_trouble_.empty()) {
    zone_troubles_ = 0;
    if (!std::exchange(zone_trouble_is_logged_, false)) return;
    return observer_.log(LogLevel::info, {},
                         "coordinators with another time zone are noticed again");
  }
  if (++zone_troubles_ < 2 || zone_trouble_is_logged_) return;
  const StoreHealth now = watch_.health();
  if (now.state != StoreHealth::State::serving || !now.warnings.empty()) return;
  zone_trouble_is_logged_ = true;
  observer_.log(LogLevel::warn, {},
                "coordinators with another time zone may not be noticed: " + zone_trouble_);
}

/// A coordinator that has stopped in order is not waited for by those that start.
Task<void> SqlStore::leave_zones() {
  if (!has_zone_record_ || pool_.away()) co_return;
  silence_.expires_after(options_.silence_max);
  silence_.async_wait([this](const error_code& error) {
    if (!error) pool_.cut();
  });
  Result<SqlLease> lease = co_await pool_.acquire();
  if (lease) {
    ignore_error(co_await drop_zone_record(*(*lease)->zone_records()), "it counts no longer soon");
  }
  silence_.cancel();
}

}  // namespace concerto::persist
