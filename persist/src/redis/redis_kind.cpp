#include "redis_kind.hpp"

#include <utility>

#include <concerto/engine/error.hpp>

#include "../server_settings.hpp"
#include "../sql/owner_column.hpp"

namespace concerto::persist {
namespace {

/// Commands for a store that is not open: its keys are counted or dropped on one connection.
class ClosedStore {
 public:
  static Result<std::unique_ptr<ClosedStore>> open(const StoreSettings& settings) {
    CONCERTO_TRY(RedisOptions options, redis_options(settings));
    CONCERTO_TRY(auto tls, RedisTlsContext::make(options.access.tls));
    std::unique_ptr<ClosedStore> store(new ClosedStore(std::move(options)));
    RedisDoor door(store->options_.access, std::move(tls));
    CONCERTO_TRY(store->connection_, door.connect());
    return store;
  }

  const RedisKeys& keys() const noexcept { return keys_; }
  const RedisTimes& times() const noexcept { return options_.times; }

  Result<ReplyPtr> ask(std::initializer_list<std::string_view> words) {
    std::string command;
    append_command(command, words);
    return answer_to(command);
  }

  Result<ReplyPtr> answer_to(const std::string& command) {
    CONCERTO_CHECK(connection_->send(command));
    CONCERTO_TRY(ReplyPtr reply, connection_->receive());
    const Reply answer{reply.get()};
    if (answer.is_error()) return error_of(answer.text(), Deed::reads);
    return reply;
  }

 private:
  explicit ClosedStore(RedisOptions options)
      : options_(std::move(options)), keys_(options_.access.prefix) {}

  RedisOptions options_;
  RedisKeys keys_;
  std::unique_ptr<RedisConnection> connection_;
};

Result<std::optional<std::size_t>> count_unfinished(const StoreSettings& settings, const Clock&,
                                                    Observer&) {
  CONCERTO_TRY(const auto store, ClosedStore::open(settings));
  CONCERTO_TRY(const ReplyPtr reply, store->ask({"ZCARD", store->keys().schedule()}));
  const auto count = static_cast<std::size_t>(Reply{reply.get()}.number().value_or(0));
  if (count > 0) return std::optional<std::size_t>(count);
  CONCERTO_TRY(const ReplyPtr any, store->ask({"EXISTS", store->keys().all()}));
  if (Reply{any.get()}.number().value_or(0) > 0) return std::optional<std::size_t>(0);
  return std::optional<std::size_t>();
}

Result<WorkOfOthers> work_of_others(const StoreSettings& settings, const Clock& clock, Observer&) {
  CONCERTO_TRY(const auto store, ClosedStore::open(settings));
  const RedisCommands commands(settings.redis.prefix, new_node_id(), store->times(), clock);
  CONCERTO_TRY(const ReplyPtr reply, store->answer_to(commands.work_of_others()));
  return RedisCommands::work_of_others_in(Reply{reply.get()});
}

/// Removes the keys of the prefix, and no others: the reference empties the whole server.
Result<> drop(const StoreSettings& settings) {
  CONCERTO_TRY(const auto store, ClosedStore::open(settings));
  for (const std::string_view kind : {"_g_", "_b_", "_s_", "_kv_"}) {
    std::string cursor = "0";
    do {
      CONCERTO_TRY(
          const ReplyPtr reply,
          store->ask({"SCAN", cursor, "MATCH", store->keys().pattern(kind), "COUNT", "1000"}));
      const Reply answer{reply.get()};
      cursor = answer[0].text();
      for (std::size_t i = 0; i < answer[1].size(); ++i) {
        CONCERTO_CHECK(store->ask({"DEL", answer[1][i].text()}));
      }
    } while (cursor != "0" && !cursor.empty());
  }
  const RedisKeys& keys = store->keys();
  CONCERTO_CHECK(store->ask({"DEL", keys.schedule(), keys.all(), keys.open(), keys.failed()}));
  return ok();
}

bool has_hash_tag(std::string_view prefix) {
  const auto begin = prefix.find('{');
  if (begin == std::string_view::npos) return false;
  const auto end = prefix.find('}', begin);
  return end != std::string_view::npos && end > begin + 1;
}

Result<> read_servers(const StoreSettings& settings, RedisAccess& access) {
  if (is_blank(settings.database.host)) {
    return make_error(Errc::invalid_request, "Store.Host is empty: Redis host not valid");
  }
  for (const std::string& host : hosts_of(settings.database.host)) {
    auto server = parse_server(host, settings.database.port);
    if (!server) {
      const std::string& list = settings.database.host;
      return make_error(Errc::invalid_request, "Store.Host: " + server.error().detail +
                                                   (host == list ? "" : ", in '" + list + "'"));
    }
    access.servers.push_back(std::move(*server));
  }
  return ok();
}

Result<RedisTls> tls_of(const DatabaseSettings& database) {
  RedisTls tls;
  const std::string& mode = database.tls_mode;
  if (mode == "require") {
    tls.checks = RedisTls::Checks::nothing;
  } else if (mode == "verify-ca") {
    tls.checks = RedisTls::Checks::certificate;
  } else if (mode != "verify-full" && mode != "disable") {
    return make_error(Errc::invalid_request,
                      "Store.TlsMode: expected disable, require, verify-ca or verify-full for a "
                      "store in Redis, found '" +
                          mode + "'");
  }
  tls.on = mode != "disable";
  tls.ca = database.tls_ca_file;
  tls.certificate = database.tls_cert_file;
  tls.key = database.tls_key_file;
  return tls;
}

}  // namespace

Result<RedisOptions> redis_options(const StoreSettings& settings) {
  RedisOptions options;
  RedisAccess& access = options.access;
  CONCERTO_CHECK(read_servers(settings, access));
  access.sentinel_master = settings.redis.sentinel_master;
  if (!access.sentinel_master.empty()) {
    access.setup = RedisSetup::sentinel;
  } else if (access.servers.size() > 1) {
    access.setup = RedisSetup::cluster;
  }
  access.user = settings.database.user;
  access.password = settings.database.password;
  access.prefix = settings.redis.prefix;
  if (access.setup == RedisSetup::cluster && !has_hash_tag(access.prefix)) {
    return make_error(Errc::invalid_request,
                      "Store.RedisPrefix '" + access.prefix +
                          "' has no hash tag: in a cluster it needs one such as {a}, which keeps "
                          "all keys in one slot");
  }
  CONCERTO_TRY(access.tls, tls_of(settings.database));
  access.needs_own_file = settings.redis.wait_on_disk;
  access.needs_replicas = settings.redis.wait_replicas > 0;
  if (settings.database.lease.count() > 0) options.times.lease = settings.database.lease;
  if (settings.redis.data_expire < std::chrono::seconds{1}) {
    return make_error(Errc::invalid_request,
                      "Store.DataExpire: expected a number of seconds from 1 on, found '" +
                          std::to_string(settings.redis.data_expire.count()) +
                          "': transactions that are not finished would be lost");
  }
  options.times.data_expire = settings.redis.data_expire;
  options.times.retention = settings.retention;
  options.wait.replicas = settings.redis.wait_replicas;
  options.wait.on_disk = settings.redis.wait_on_disk;
  return options;
}

StoreKind redis_kind() {
  StoreKind kind;
  kind.name = "redis";
  kind.open = [](const StoreSettings& settings, const Clock& clock,
                 Observer& observer) -> Result<std::unique_ptr<ManagedStore>> {
    CONCERTO_TRY(RedisOptions options, redis_options(settings));
    CONCERTO_TRY(auto store, RedisStore::open(std::move(options), clock, observer));
    return std::unique_ptr<ManagedStore>(std::move(store));
  };
  kind.check = [](const StoreSettings& settings) -> Result<> {
    CONCERTO_TRY(const RedisOptions options, redis_options(settings));
    CONCERTO_CHECK(check_tls_files(settings.database));
    CONCERTO_CHECK(RedisTlsContext::make(options.access.tls));
    return ok();
  };
  kind.place = [](const StoreSettings& settings) {
    const auto options = redis_options(settings);
    return options ? options->access.place() : options.error().detail;
  };
  kind.count_unfinished = count_unfinished;
  kind.drop = drop;
  kind.work_of_others = work_of_others;
  return kind;
}

}  // namespace concerto::persist
