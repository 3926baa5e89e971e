#include "sql_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "../server_settings.hpp"
#include "owner_column.hpp"

namespace concerto::persist {
namespace {

/// More connections would be idle: all work goes through few groups, and reads are short.
constexpr std::size_t useful_connections = 16;

class SystemTime final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const noexcept override { return std::chrono::system_clock::now(); }
};

class NoLog final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

Result<std::unique_ptr<SqlStore>> open_store(const MakeSqlConnector& make,
                                             const StoreSettings& settings,
                                             const SqlStoreOptions& options, const Clock& clock,
                                             Observer& observer) {
  const SqlStore::MakeConnector connect = [&](Executor executor) {
    return make(settings, options, std::move(executor));
  };
  return SqlStore::open(options, connect, clock, observer);
}

/// Finds at the start what would otherwise look like a server that is away.
Result<> check_tls(const DatabaseSettings& database) {
  constexpr std::array<std::string_view, 5> modes{"disable", "prefer", "require", "verify-ca",
                                                  "verify-full"};
  const std::string& mode = database.tls_mode;
  if (std::ranges::find(modes, mode) == modes.end()) {
    return make_error(Errc::invalid_request,
                      "Store.TlsMode: expected disable, prefer, require, verify-ca or verify-full, "
                      "found '" +
                          mode + "'");
  }
  return check_tls_files(database);
}

}  // namespace

SqlStoreOptions sql_options_of(const StoreSettings& settings) {
  const DatabaseSettings& database = settings.database;
  SqlStoreOptions options;
  options.node = new_node_id();
  // A lane needs a connection while another one finds out about a lost answer.
  options.pool.open_max = std::clamp<std::size_t>(database.connections_max, 2, useful_connections);
  options.pool.idle_max = std::min(database.idle_connections_max, options.pool.open_max);
  if (database.connection_life_max.count() > 0) {
    options.pool.life_max = database.connection_life_max;
  } else {
    options.pool.life_max = std::chrono::nanoseconds::max();
  }
  options.retention = settings.retention;
  options.deletes_finished = database.deletes_finished;
  options.checks_zone = database.is_of_coordinator;
  if (database.lease.count() > 0) options.lease.in_row = database.lease;
  options.zone_times.alive_for =
      std::max<std::chrono::nanoseconds>(options.zone_times.alive_for, options.lease.in_row);
  return options;
}

Result<> check_database(const DatabaseSettings& database) {
  const auto wrong = [](const char* what) { return make_error(Errc::invalid_request, what); };
  if (is_blank(database.host)) return wrong("Store.Host is empty: Db host not valid");
  CONCERTO_CHECK(check_hosts(database.host));
  if (database.port == 0) return wrong("Store.Port is 0 or missing: Db port not valid");
  if (is_blank(database.user)) return wrong("Store.User is empty: Db user not valid");
  if (is_blank(database.database)) return wrong("Store.Db is empty: Db name not valid");
  return check_tls(database);
}

StoreKind sql_kind(std::string name, MakeSqlConnector make) {
  StoreKind kind;
  kind.name = std::move(name);
  kind.check = [](const StoreSettings& settings) { return check_database(settings.database); };
  kind.open = [make](const StoreSettings& settings, const Clock& clock,
                     Observer& observer) -> Result<std::unique_ptr<ManagedStore>> {
    CONCERTO_TRY(auto store, open_store(make, settings, sql_options_of(settings), clock, observer));
    return std::unique_ptr<ManagedStore>(std::move(store));
  };
  kind.place = [make](const StoreSettings& settings) {
    asio::io_context io;
    return make(settings, sql_options_of(settings), io.get_executor())->place();
  };
  kind.count_unfinished = [make](const StoreSettings& settings, const Clock& clock,
                                 Observer& observer) -> Result<std::optional<std::size_t>> {
    SqlStoreOptions options = sql_options_of(settings);
    options.checks_zone = false;
    CONCERTO_TRY(const auto store, open_store(make, settings, options, clock, observer));
    CONCERTO_TRY(const std::size_t count, store->count_unfinished());
    return std::optional<std::size_t>(count);
  };
  kind.work_of_others = [make](const StoreSettings& settings, const Clock& clock,
                               Observer& observer) -> Result<WorkOfOthers> {
    SqlStoreOptions options = sql_options_of(settings);
    options.checks_zone = false;
    CONCERTO_TRY(const auto store, open_store(make, settings, options, clock, observer));
    return store->work_of_others_now();
  };
  kind.drop = [make](const StoreSettings& settings) -> Result<> {
    const SystemTime clock;
    NoLog log;
    SqlStoreOptions options = sql_options_of(settings);
    options.checks_tables = options.checks_zone = false;
    CONCERTO_TRY(const auto store, open_store(make, settings, options, clock, log));
    return store->reset();
  };
  return kind;
}

}  // namespace concerto::persist
