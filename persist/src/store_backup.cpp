#include <algorithm>

#include <concerto/persist/managed_store.hpp>
#include <concerto/persist/store_backup.hpp>

namespace concerto::persist {
namespace {

constexpr std::size_t name_bytes_max = 100;

}  // namespace

Result<> check_backup_name(std::string_view key, const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!name.empty() && name.size() <= name_bytes_max && name.front() != '.' &&
      !name.ends_with(".partial") && std::all_of(name.begin(), name.end(), fits)) {
    return ok();
  }
  return make_error(Errc::invalid_request,
                    std::string(key) + ": expected a name of letters, digits, '-', '_' and '.', " +
                        "with at most " + std::to_string(name_bytes_max) + " bytes, found '" +
                        name.substr(0, name_bytes_max) + "'");
}

Result<BackupReport> ManagedStore::backup(const BackupRequest& /*request*/) {
  return make_error(Errc::not_supported,
                    "backups are made here of the embedded store (leveldb) alone: a store on a "
                    "server has the means of its server");
}

Result<std::vector<BackupReport>> ManagedStore::backups(const std::string& /*directory*/) {
  return std::vector<BackupReport>();
}

}  // namespace concerto::persist
