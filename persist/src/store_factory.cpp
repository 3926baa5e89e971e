#include <algorithm>
#include <utility>

#include <concerto/persist/store_factory.hpp>

#include "memory/memory_kind.hpp"
#ifdef CONCERTO_STORE_LEVELDB
#include "leveldb/leveldb_kind.hpp"
#endif
#ifdef CONCERTO_STORE_MYSQL
#include "mysql/mysql_kind.hpp"
#endif
#ifdef CONCERTO_STORE_POSTGRES
#include "postgres/postgres_kind.hpp"
#endif
#ifdef CONCERTO_STORE_REDIS
#include "redis/redis_kind.hpp"
#endif

namespace concerto::persist {
namespace {

/// "leveldb, memory or postgres".
std::string names_of(const std::vector<StoreKind>& kinds) {
  std::string names;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (i > 0) names += i + 1 == kinds.size() ? " or " : ", ";
    names += kinds[i].name;
  }
  return names;
}

}  // namespace

StoreKinds StoreKinds::standard() {
  StoreKinds kinds;
#ifdef CONCERTO_STORE_LEVELDB
  kinds.add(leveldb_kind());
#endif
#ifdef CONCERTO_STORE_MYSQL
  kinds.add(mysql_kind());
#endif
#ifdef CONCERTO_STORE_POSTGRES
  kinds.add(postgres_kind());
#endif
#ifdef CONCERTO_STORE_REDIS
  kinds.add(redis_kind());
#endif
  kinds.add(memory_kind());
  return kinds;
}

void StoreKinds::add(StoreKind kind) {
  const auto same = std::ranges::find(kinds_, kind.name, &StoreKind::name);
  if (same == kinds_.end()) {
    kinds_.push_back(std::move(kind));
  } else {
    *same = std::move(kind);
  }
}

const StoreKind* StoreKinds::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(kinds_, name, &StoreKind::name);
  return found == kinds_.end() ? nullptr : &*found;
}

Result<> StoreKinds::check(const StoreSettings& settings) const {
  CONCERTO_CHECK(checked(settings));
  return ok();
}

Result<std::unique_ptr<ManagedStore>> StoreKinds::open(const StoreSettings& settings,
                                                       const Clock& clock,
                                                       Observer& observer) const {
  CONCERTO_TRY(const StoreKind* kind, checked(settings));
  return kind->open(settings, clock, observer);
}

Result<const StoreKind*> StoreKinds::checked(const StoreSettings& settings) const {
  const StoreKind* kind = find(settings.driver);
  if (kind == nullptr) {
    return make_error(Errc::invalid_request, "Store.Driver: expected " + names_of(kinds_) +
                                                 ", found '" + settings.driver + "'");
  }
  if (kind->check) CONCERTO_CHECK(kind->check(settings));
  return kind;
}

}  // namespace concerto::persist
