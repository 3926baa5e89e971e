#include "unended_migration.hpp"

#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>

#include <concerto/engine/error.hpp>

namespace concerto::tools {

std::string source_of_migration(const std::string& value) {
  return value.substr(value.find(' ') + 1);
}

Async<std::optional<std::string>> unended_migration(Store& store, std::string place) {
  CONCERTO_CO_TRY(const std::vector<KvRecord> found,
                  co_await store.find_kv(migration_category, migration_key));
  if (found.empty()) co_return std::optional<std::string>();
  co_return std::optional<std::string>(
      place + " has only a part of " + source_of_migration(found.front().value) +
      ": a migration from there has begun and has not ended. Run concerto migrate again with the "
      "same two stores, and it goes on; or give the migration up: start once with -r, which drops "
      "everything that is stored here");
}

Result<std::optional<std::string>> unended_migration_now(asio::io_context& io, Store& store,
                                                         std::string place) {
  if (const StoreHealth health = store.health(); health.state != StoreHealth::State::serving) {
    return make_error(EngineErrc::store_busy, "the store does not serve yet");
  }
  std::exception_ptr bug;
  Result<std::optional<std::string>> found;
  const auto work = asio::make_work_guard(io);
  asio::co_spawn(io, unended_migration(store, std::move(place)),
                 [&](const std::exception_ptr& error, auto answer) {
                   bug = error;
                   found = std::move(answer);
                   io.stop();
                 });
  io.run();
  if (bug) std::rethrow_exception(bug);
  return found;
}

}  // namespace concerto::tools
