#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mariadb/mysql.h>

#include <concerto/base/async.hpp>

#include "../sql/sql_error.hpp"
#include "mysql_options.hpp"
#include "mysql_result.hpp"

namespace concerto::persist {

/// Whether the statements change something. A lost connection is answer_lost if they do, and
/// not_now if they do not.
enum class MysqlWork : std::uint8_t { reads, changes };

/// What the server said about the last statement that failed.
struct MysqlFailure {
  unsigned number = 0;
  std::size_t statement = 0;  ///< its place among those of `run`
};

/// One connection of Connector/C, which opens on a thread of its own and then never blocks. One
/// coroutine at a time uses it, on its executor. It outlives that coroutine.
class MysqlSession {
 public:
  /// `openers` are threads that may block. All arguments outlive the session.
  MysqlSession(Executor executor, const MysqlOptions& options, asio::thread_pool& openers);
  ~MysqlSession();
  MysqlSession(const MysqlSession&) = delete;
  MysqlSession& operator=(const MysqlSession&) = delete;

  /// `database` may be empty. Errors: not_now, no_connection_left, wrong_schema. Called once.
  Async<> connect(std::string host, std::string database);

  /// Runs the statements and returns a result for each. They go to the server in one packet, or in
  /// several if they are too long for one. Each has the limit of time for an answer. After the
  /// first error no further statement runs, and what has begun is rolled back. Statements for
  /// several changes begin and commit a transaction themselves, and the commit is the last
  /// statement.
  Async<std::vector<MysqlResult>> run(std::vector<std::string> statements, MysqlWork work);

  const MysqlFailure& last_failure() const noexcept { return failure_; }
  /// The limit of the server for one packet.
  void set_packet_bytes_max(std::size_t bytes) noexcept { packet_bytes_max_ = bytes; }

  /// What waits for an answer ends as if its time were over. The session is not usable any more.
  void cut() noexcept;

  /// Whether the session can be used. Looks whether the server has closed it.
  bool is_usable() const noexcept;
  std::uint32_t id() const noexcept;
  std::string_view server_version() const noexcept;

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;
  struct Wait;

  /// The next statement has the limit of time from now on.
  void allow_answer();
  /// Waits for the events that Connector/C asks for. Returns those that came.
  Task<int> wait(int events);
  template <class Continue>
  Async<> finish(int events, Continue go_on);
  Async<> send(const std::string& packet);
  Async<> read_result(std::vector<MysqlResult>& results);
  Async<bool> has_next();
  Async<> run_packet(std::string packet, std::vector<MysqlResult>& results);
  Task<void> roll_back();
  Error failed_commit(Error error, unsigned number);
  void release_socket();
  void drop_unsent();
  Error error_of(unsigned number, std::string_view text) const;
  Error last_error() const;

  const MysqlOptions& options_;
  asio::thread_pool& openers_;
  MYSQL* const mysql_;
  Descriptor socket_;  ///< the connection's socket, which belongs to Connector/C
  Timer timer_;
  std::chrono::steady_clock::time_point until_{};
  std::size_t packet_bytes_max_ = std::size_t{1} << 20;
  MysqlFailure failure_;
  bool is_open_ = false;
  bool is_lost_ = false;
  bool is_cut_ = false;
  std::weak_ptr<Wait> waits_;
};

}  // namespace concerto::persist
