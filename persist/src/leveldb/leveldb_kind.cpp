#include "leveldb_kind.hpp"

#include <filesystem>

#include <concerto/persist/leveldb_store.hpp>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

Result<std::unique_ptr<LevelDbStore>> open_store(const StoreSettings& settings, const Clock& clock,
                                                 Observer& observer) {
  LevelDbOptions options;
  options.path = settings.path;
  options.retention = settings.retention;
  options.free_bytes_min = settings.free_bytes_min;
  return LevelDbStore::open(std::move(options), clock, observer);
}

std::string place(const StoreSettings& settings) {
  return "'" + settings.path + "'";
}

Result<std::unique_ptr<ManagedStore>> open_and_say(const StoreSettings& settings,
                                                   const Clock& clock, Observer& observer) {
  std::error_code unreadable;  // Then `open_store` says so.
  const bool is_new = !std::filesystem::exists(identity_path(settings.path), unreadable);
  CONCERTO_TRY(auto store, open_store(settings, clock, observer));
  observer.log(LogLevel::info, {},
               (is_new ? "opened a new store: " : "opened the store: ") + place(settings));
  return std::unique_ptr<ManagedStore>(std::move(store));
}

Result<std::optional<std::size_t>> count_unfinished(const StoreSettings& settings,
                                                    const Clock& clock, Observer& observer) {
  std::error_code unreadable;  // Also set if the directory does not exist.
  if (std::filesystem::is_empty(settings.path, unreadable) || unreadable) {
    return std::optional<std::size_t>();
  }
  CONCERTO_TRY(const auto store, open_store(settings, clock, observer));
  return std::optional<std::size_t>(store->unfinished_count());
}

}  // namespace

StoreKind leveldb_kind() {
  StoreKind kind;
  kind.name = "leveldb";
  kind.open = open_and_say;
  kind.check = [](const StoreSettings& settings) -> Result<> {
    if (settings.path.empty()) {
      return make_error(Errc::invalid_request,
                        "Store.Path is empty; the embedded store needs a directory");
    }
    std::error_code unreadable;  // Then the start says so.
    const auto type = std::filesystem::status(settings.path, unreadable).type();
    if (type != std::filesystem::file_type::regular) return ok();
    return make_error(Errc::invalid_request,
                      "Store.Path: expected a directory, found the file '" + settings.path + "'");
  };
  kind.place = place;
  kind.count_unfinished = count_unfinished;
  kind.drop = [](const StoreSettings& settings) { return LevelDbStore::remove(settings.path); };
  return kind;
}

}  // namespace concerto::persist
