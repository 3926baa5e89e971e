#include "redis_connection.hpp"

#include <utility>

#include <concerto/engine/error.hpp>

#include "scripts.hpp"

namespace concerto::persist {
namespace {

/// How often one search follows from server to server of a cluster.
constexpr int hops_max = 5;

Error refused(const RedisServer& server, std::string_view what, std::string_view text) {
  return not_made("Redis at " + server.text() + ": " + std::string(what) + std::string(text));
}

}  // namespace

std::string RedisAccess::place() const {
  std::string text = "Redis at ";
  for (const RedisServer& server : servers) {
    if (&server != &servers.front()) text += ",";
    text += server.text();
  }
  if (setup == RedisSetup::sentinel) text += " (Sentinels of '" + sentinel_master + "')";
  return text + ", keys " + prefix + "_*";
}

Result<> RedisConnection::open(const RedisServer& server,
                               const std::shared_ptr<RedisTlsContext>& tls) {
  server_ = server;
  return socket_.connect(server, tls, limits_.connect);
}

Result<ReplyPtr> RedisConnection::receive() {
  for (;;) {
    auto reply = reader_.next();
    if (!reply) return not_made("Redis sends what is not its protocol: " + reply.error().detail);
    if (*reply != nullptr) return reply;
    CONCERTO_TRY(const std::size_t got, socket_.read(buffer_, limits_.answer));
    if (Result<> fed = reader_.feed({buffer_.data(), got}); !fed)
      return not_made(fed.error().detail);
  }
}

Result<ReplyPtr> RedisConnection::ask(std::initializer_list<std::string_view> words) {
  std::string command;
  append_command(command, words);
  CONCERTO_CHECK(send(command));
  return receive();
}

Result<std::unique_ptr<RedisConnection>> RedisDoor::connect() {
  Error last = not_made("no server of Redis is known");
  if (access_.setup == RedisSetup::sentinel) {
    CONCERTO_TRY(const RedisServer master, ask_sentinels());
    return enter(master);
  }
  for (int hop = 0; hop < hops_max && hint_; ++hop) {
    const RedisServer server = *std::exchange(hint_, std::nullopt);
    auto found = enter(server);  // It may leave another hint.
    if (found) return found;
    last = std::move(found).error();
  }
  for (std::size_t i = 0; i < access_.servers.size(); ++i) {
    const std::size_t at = (first_ + i) % access_.servers.size();
    auto found = enter(access_.servers[at]);
    for (int hop = 0; hop < hops_max && !found && hint_; ++hop) {
      found = enter(*std::exchange(hint_, std::nullopt));
    }
    if (found) {
      first_ = at;
      return found;
    }
    last = std::move(found).error();
  }
  return last;
}

Result<std::unique_ptr<RedisConnection>> RedisDoor::enter(const RedisServer& server) {
  auto connection = std::make_unique<RedisConnection>(access_.limits);
  CONCERTO_CHECK(connection->open(server, tls_));
  CONCERTO_CHECK(log_in(*connection));
  CONCERTO_CHECK(check_master(*connection));
  if (access_.needs_own_file) CONCERTO_CHECK(check_own_file(*connection));
  CONCERTO_CHECK(load_scripts(*connection));
  return connection;
}

/// Without this check each change would be made, and then no answer could be given.
Result<> RedisDoor::check_own_file(RedisConnection& connection) {
  CONCERTO_TRY(const ReplyPtr reply, connection.ask({"WAITAOF", "1", "0", "1"}));
  const Reply answer{reply.get()};
  if (!answer.is_error()) return ok();
  return refused(connection.server(), "Store.RedisWaitOnDisk is not possible: ", answer.text());
}

Result<> RedisDoor::log_in(RedisConnection& connection) {
  if (access_.password.empty()) return ok();
  auto reply = access_.user.empty() ? connection.ask({"AUTH", access_.password})
                                    : connection.ask({"AUTH", access_.user, access_.password});
  if (!reply) return std::move(reply).error();
  const Reply answer{reply->get()};
  if (!answer.is_error()) return ok();
  return refused(connection.server(), "the password is not accepted: ", answer.text());
}

/// The server must be a master, have the keys, and be able to work. The keys of one prefix are in
/// one slot of a cluster, so one key tells where all are.
Result<> RedisDoor::check_master(RedisConnection& connection) {
  CONCERTO_TRY(const ReplyPtr probe, connection.ask({"EXISTS", access_.prefix + "_u"}));
  const Reply answer{probe.get()};
  if (answer.is_error()) {
    if (const auto moved = moved_to(answer.text())) {
      const bool same_host = moved->front() == ':';
      auto server = parse_server(same_host ? connection.server().host + *moved : *moved, 0);
      if (server) hint_ = std::move(*server);
    }
    return refused(connection.server(), "", answer.text());
  }
  CONCERTO_TRY(const ReplyPtr role, connection.ask({"ROLE"}));
  const Reply first = Reply{role.get()}[0];
  // A user who may not ask for the role finds out at the first change.
  if (first.is_nil() || first.text() == "master") return ok();
  return refused(connection.server(), "it is no master, but a ", first.text());
}

Result<> RedisDoor::load_scripts(RedisConnection& connection) {
  std::string commands;
  for (const ScriptText& one : all_scripts())
    append_command(commands, {"SCRIPT", "LOAD", one.text});
  CONCERTO_CHECK(connection.send(commands));
  for ([[maybe_unused]] const ScriptText& one : all_scripts()) {
    CONCERTO_TRY(const ReplyPtr reply, connection.receive());
    const Reply answer{reply.get()};
    if (answer.is_error()) {
      return refused(connection.server(), "a script cannot be loaded: ", answer.text());
    }
  }
  return ok();
}

Result<RedisServer> RedisDoor::ask_sentinels() {
  Error last = not_made("no Sentinel is known");
  for (std::size_t i = 0; i < access_.servers.size(); ++i) {
    const std::size_t at = (first_ + i) % access_.servers.size();
    RedisLimits limits = access_.limits;
    limits.connect = limits.answer = std::chrono::milliseconds{500};
    RedisConnection sentinel{limits};
    Result<> open = sentinel.open(access_.servers[at], tls_);
    if (!open) {
      last = std::move(open).error();
      continue;
    }
    auto reply = sentinel.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", access_.sentinel_master});
    if (!reply) {
      last = std::move(reply).error();
      continue;
    }
    const Reply answer{reply->get()};
    const auto port = answer[1].number();
    if (answer.size() == 2 && port && *port > 0 && *port <= 65'535) {
      first_ = at;
      return RedisServer{std::string(answer[0].text()), static_cast<std::uint16_t>(*port)};
    }
    last = refused(access_.servers[at], "the Sentinel knows no master '",
                   access_.sentinel_master + "' " + std::string(answer.text()));
  }
  return last;
}

}  // namespace concerto::persist
