#include "redis_connection.hpp"

#include <utility>

#include <concerto/engine/error.hpp>

#include "redis_keys.hpp"
#include "scripts.hpp"

namespace concerto::persist {
namespace {

/// How often one search follows from server to server of a cluster.
constexpr int hops_max = 5;

Error refused(const RedisServer& server, std::string_view what, std::string_view text) {
  return not_made("Redis at " + server.text() + ": " + std::string(what) +
                  std::string(without_place(text)));
}

/// For what Redis answers with an error. Only an operator can change what the user may do.
Error refused_by_error(const RedisServer& server, std::string_view what, std::string_view text) {
  const RedisTrouble trouble = trouble_of(text);
  const bool no_entry = trouble == RedisTrouble::no_entry;
  if (!no_entry && trouble != RedisTrouble::no_right) return refused(server, what, text);
  Error error = refused(server,
                        no_entry ? "it does not let this coordinator in (Store.User, "
                                   "Store.Password): "
                                 : "the user lacks a right that the store needs: ",
                        text);
  error.code = EngineErrc::store_unavailable;
  return error;
}

/// Keeps the error that an operator has to know.
void note(Error& last, Error error) {
  if (last.code != EngineErrc::store_unavailable) last = std::move(error);
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
  return ask_written(command);
}

Result<ReplyPtr> RedisConnection::ask_written(std::string_view command) {
  CONCERTO_CHECK(send(command));
  return receive();
}

Result<std::unique_ptr<RedisConnection>> RedisDoor::connect_for_changes() {
  needs_rights_ = true;
  auto found = connect();
  needs_rights_ = false;
  return found;
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
    note(last, std::move(found).error());
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
    note(last, std::move(found).error());
  }
  return last;
}

Result<std::unique_ptr<RedisConnection>> RedisDoor::enter(const RedisServer& server) {
  auto connection = std::make_unique<RedisConnection>(access_.limits);
  CONCERTO_CHECK(connection->open(server, tls_));
  CONCERTO_CHECK(log_in(*connection));
  CONCERTO_CHECK(check_master(*connection));
  CONCERTO_CHECK(check_waits(*connection));
  CONCERTO_CHECK(load_scripts(*connection));
  CONCERTO_CHECK(check_changes(*connection));
  return connection;
}

/// Without this check each change would be made, and then no answer could be given.
Result<> RedisDoor::check_waits(RedisConnection& connection) {
  if (!access_.needs_own_file && !access_.needs_replicas) return ok();
  CONCERTO_TRY(const ReplyPtr reply, access_.needs_own_file
                                         ? connection.ask({"WAITAOF", "1", "0", "1"})
                                         : connection.ask({"WAIT", "0", "1"}));
  const Reply answer{reply.get()};
  if (!answer.is_error()) return ok();
  return refused_by_error(connection.server(),
                          access_.needs_own_file ? "Store.RedisWaitOnDisk is not possible: "
                                                 : "Store.RedisWaitReplicas is not possible: ",
                          answer.text());
}

Result<> RedisDoor::log_in(RedisConnection& connection) {
  if (access_.password.empty()) return ok();
  auto reply = access_.user.empty() ? connection.ask({"AUTH", access_.password})
                                    : connection.ask({"AUTH", access_.user, access_.password});
  if (!reply) return std::move(reply).error();
  const Reply answer{reply->get()};
  if (!answer.is_error()) return ok();
  return refused_by_error(connection.server(),
                          "it does not log this coordinator in: ", answer.text());
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
    return refused_by_error(connection.server(), "", answer.text());
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
      return refused_by_error(connection.server(), "a script cannot be loaded: ", answer.text());
    }
  }
  return ok();
}

/// A server that refuses changes is good for reads, unless another one is the master.
Result<> RedisDoor::check_changes(RedisConnection& connection) {
  CONCERTO_TRY(const ReplyPtr reply, connection.ask_written(trial_command(access_.prefix)));
  const Reply answer{reply.get()};
  if (!answer.is_error()) return ok();
  const RedisTrouble trouble = trouble_of(answer.text());
  const bool lacks_right = needs_rights_ && trouble == RedisTrouble::no_right;
  if (!lacks_right && trouble != RedisTrouble::elsewhere) return ok();
  return refused_by_error(connection.server(), "", answer.text());
}

std::string trial_command(const std::string& prefix) {
  std::string command;
  // The last word is for people who watch Redis.
  append_command(
      command, {"EVALSHA", script(Script::trial).sha, "1", RedisKeys(prefix).schedule(), "trial"});
  return command;
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
      note(last, std::move(open).error());
      continue;
    }
    auto reply = sentinel.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", access_.sentinel_master});
    if (!reply) {
      note(last, std::move(reply).error());
      continue;
    }
    const Reply answer{reply->get()};
    const auto port = answer[1].number();
    if (answer.size() == 2 && port && *port > 0 && *port <= 65'535) {
      first_ = at;
      return RedisServer{std::string(answer[0].text()), static_cast<std::uint16_t>(*port)};
    }
    const std::string what = "the Sentinel knows no master '" + access_.sentinel_master + "'";
    note(last, answer.is_error() ? refused_by_error(access_.servers[at], what + ": ", answer.text())
                                 : refused(access_.servers[at], what, ""));
  }
  return last;
}

}  // namespace concerto::persist
