#include "store_setup.hpp"

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
  settings.redis.prefix = config.redis_prefix;
  settings.redis.data_expire = config.data_expire;
  return settings;
}

}  // namespace concerto::tools
