#include "store_setup.hpp"

#include <charconv>
#include <chrono>

namespace concerto::tools {

persist::StoreRetention retention(const StoreConfig& config) {
  const bool same = config.failed_data_expire.count() == 0;
  return {config.finished_data_expire,
          same ? config.finished_data_expire : config.failed_data_expire,
          config.finished_bytes_max};
}

persist::StoreSettings store_settings(const StoreConfig& config) {
  persist::StoreSettings settings;
  settings.driver = config.driver;
  settings.retention = retention(config);
  settings.path = config.path;
  settings.free_bytes_min = config.free_bytes_min;
  settings.database.host = config.host;
  settings.database.port = static_cast<std::uint16_t>(config.port);
  settings.database.user = config.user;
  settings.database.password = config.password;
  settings.database.database = config.db;
  settings.database.schema = config.schema;
  settings.redis.prefix = config.redis_prefix;
  settings.redis.data_expire = config.data_expire;
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

}  // namespace concerto::tools
