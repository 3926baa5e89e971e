#include "store_setup.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "config_tables.hpp"

namespace concerto::tools {

namespace {

/// As in the reference, 0 or a negative number is no limit.
std::size_t connections_max(std::int64_t number) {
  return number > 0 ? static_cast<std::size_t>(number) : SIZE_MAX;
}

/// 0 for a number that is no port: the checks of the store refuse it.
std::uint16_t port_from(std::int64_t number) {
  return number > 0 && number <= UINT16_MAX ? static_cast<std::uint16_t>(number) : 0;
}

persist::DatabaseSettings database_settings(const StoreConfig& config) {
  persist::DatabaseSettings database;
  database.host = config.host;
  database.port = port_from(config.port);
  database.user = config.user;
  database.password = config.password;
  database.database = config.db;
  database.schema = config.schema;
  database.connections_max = connections_max(config.open_connections_max);
  database.idle_connections_max =
      static_cast<std::size_t>(std::max<std::int64_t>(config.idle_connections_max, 0));
  // A larger number would be too large in nanoseconds.
  constexpr std::chrono::minutes longest = std::chrono::hours{24 * 365};
  database.connection_life_max = std::min(config.connection_life_time, longest);
  database.tls_mode = config.tls_mode;
  database.tls_ca_file = config.tls_ca_file;
  database.tls_cert_file = config.tls_cert_file;
  database.tls_key_file = config.tls_key_file;
  database.lease = config.lease;
  database.deletes_finished = true;  // as `retention` says
  return database;
}

}  // namespace

persist::StoreRetention retention(const StoreConfig& config) {
  persist::StoreRetention retention;
  retention.finished_expire = config.finished_data_expire;
  // The reference keeps everything in a database. So does a database that is taken over, until
  // somebody has said otherwise.
  const bool is_database = config.driver == "mysql" || config.driver == "postgres";
  if (is_database && !config.finished_data_expire_is_set) {
    retention.finished_expire = std::chrono::seconds::max();
  }
  const bool same = config.failed_data_expire.count() == 0;
  retention.failed_expire = same ? retention.finished_expire : config.failed_data_expire;
  retention.finished_bytes_max = config.finished_bytes_max;
  return retention;
}

persist::StoreSettings store_settings(const StoreConfig& config) {
  persist::StoreSettings settings;
  settings.driver = config.driver;
  settings.retention = retention(config);
  settings.path = config.path;
  settings.free_bytes_min = config.free_bytes_min;
  settings.database = database_settings(config);
  settings.redis.prefix = config.redis_prefix;
  constexpr std::chrono::seconds longest{1'000'000'000};  // Redis adds it to a time.
  settings.redis.data_expire = std::min(config.data_expire, longest);
  settings.redis.sentinel_master = config.redis_sentinel_master;
  settings.redis.wait_replicas = static_cast<int>(config.redis_wait_replicas);
  settings.redis.wait_on_disk = config.redis_wait_on_disk;
  return settings;
}

persist::StoreSettings store_settings(const Config& config) {
  persist::StoreSettings settings = store_settings(config.store);
  const std::string& hours = config.time_zone_offset;
  if (!hours.empty()) {
    int east = 0;  // the text is a number, as the configuration was checked
    const char* const digits = hours.data() + (hours.front() == '+' ? 1 : 0);
    std::from_chars(digits, hours.data() + hours.size(), east);
    settings.database.east_of_utc = std::chrono::hours(east);
  }
  return settings;
}

std::string store_place(const Config& config) {
  const persist::StoreKind* const kind = standard_tables().stores.find(config.store.driver);
  return kind != nullptr && kind->place ? kind->place(store_settings(config)) : std::string();
}

}  // namespace concerto::tools
