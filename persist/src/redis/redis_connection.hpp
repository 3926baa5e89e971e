#pragma once

#include <array>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "redis_answer.hpp"
#include "redis_socket.hpp"
#include "resp.hpp"

namespace concerto::persist {

/// Time limits of a connection.
struct RedisLimits {
  std::chrono::milliseconds connect{3'000};
  /// A server that does not answer for so long counts as lost.
  std::chrono::milliseconds answer{4'000};
};

/// A connection to one server: commands go out, answers come back in their order.
class RedisConnection {
 public:
  explicit RedisConnection(const RedisLimits& limits) : limits_(limits) {}

  Result<> open(const RedisServer& server, const std::shared_ptr<RedisTlsContext>& tls);
  Result<> send(std::string_view commands) { return socket_.write(commands, limits_.answer); }
  /// The next answer. An error of Redis is an answer too.
  Result<ReplyPtr> receive();
  /// Sends one command and returns its answer.
  Result<ReplyPtr> ask(std::initializer_list<std::string_view> words);
  Result<ReplyPtr> ask_written(std::string_view command);

  const RedisServer& server() const noexcept { return server_; }

 private:
  RedisLimits limits_;
  RedisServer server_;
  RedisSocket socket_;
  ReplyReader reader_;
  std::array<char, 16 * 1024> buffer_;
};

/// How Redis is installed.
enum class RedisSetup : std::uint8_t {
  standalone,  ///< one server, perhaps with replicas
  sentinel,    ///< the servers of the configuration are Sentinels that name the master
  cluster,     ///< the servers of the configuration are some of a cluster
};

/// Who is to be asked, and as whom.
struct RedisAccess {
  RedisSetup setup = RedisSetup::standalone;
  std::vector<RedisServer> servers;  ///< not empty
  std::string sentinel_master;       ///< the name that the Sentinels know the master by
  std::string user;
  std::string password;
  /// Refuse a server that cannot answer WAITAOF about its own file.
  bool needs_own_file = false;
  bool needs_replicas = false;  ///< refuse a server that does not let the user WAIT
  RedisTls tls;
  std::string prefix;  ///< of all keys
  RedisLimits limits;

  /// Where the store is, for people, without passwords.
  std::string place() const;
};

/// A command that changes nothing, but that Redis refuses whenever it refuses changes.
std::string trial_command(const std::string& prefix);

/// Finds the server that has the keys, and connects to it. Used by one thread.
class RedisDoor {
 public:
  RedisDoor(const RedisAccess& access, std::shared_ptr<RedisTlsContext> tls)
      : access_(access), tls_(std::move(tls)) {}

  /// A connection to the master for the keys, with all scripts loaded. Errors: store_unavailable
  /// if a server was reached, but does not let the user in or do what the store needs; store_busy.
  Result<std::unique_ptr<RedisConnection>> connect();
  /// As `connect`. A server that lets the user read only counts as one that does not let it in.
  Result<std::unique_ptr<RedisConnection>> connect_for_changes();
  /// For the next `connect`: a server has said that this one has the keys.
  void try_first(const RedisServer& server) { hint_ = server; }

 private:
  using Connection = std::unique_ptr<RedisConnection>;

  Result<Connection> enter(const RedisServer& server);
  Result<> log_in(RedisConnection& connection);
  Result<> check_master(RedisConnection& connection);
  Result<> check_waits(RedisConnection& connection);
  Result<> load_scripts(RedisConnection& connection);
  Result<> check_changes(RedisConnection& connection);
  Result<RedisServer> ask_sentinels();

  const RedisAccess& access_;
  std::shared_ptr<RedisTlsContext> tls_;
  std::optional<RedisServer> hint_;
  std::size_t first_ = 0;  ///< where the next search begins
  bool needs_rights_ = false;
};

}  // namespace concerto::persist
