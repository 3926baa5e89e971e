#pragma once

#include <chrono>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <concerto/base/async.hpp>

#include "../sql/sql_error.hpp"
#include "pg_wire.hpp"

namespace concerto::persist {

/// A statement that each session prepares at its first use. It lives as long as the program.
struct PgStatement {
  const char* name;
  const char* text;
};

struct PgCall {
  const PgStatement* statement = nullptr;
  PgParams params;
};

struct PgTimeLimits {
  std::chrono::milliseconds connect{3'000};
  /// The server gives up waiting for a lock after so long, which its error then says.
  std::chrono::milliseconds lock{5'000};
  /// The server ends a statement that takes longer.
  std::chrono::milliseconds statement{8'000};
  /// A session without an answer for so long counts as lost.
  std::chrono::milliseconds answer{10'000};
};

/// Keywords of libpq with their values.
using PgParameters = std::vector<std::pair<std::string, std::string>>;

/// One libpq connection without blocking. One coroutine at a time uses it, on its executor. It
/// outlives that coroutine.
class PgSession {
 public:
  PgSession(Executor executor, const PgTimeLimits& limits);
  ~PgSession();
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;

  /// `setup`: statements that the new session runs first. Errors: not_now, wrong_schema.
  Async<> connect(PgParameters parameters, std::string setup);

  /// Runs the statements as one database transaction, in one round trip. Returns a result for each.
  Async<std::vector<PgResult>> run(std::vector<PgCall> calls);
  /// Runs statements without parameters, as one database transaction.
  Async<> run_script(std::string script);

  /// The code of the last error that the server has sent; empty: there was none.
  const std::string& last_sqlstate() const noexcept { return last_sqlstate_; }

  /// What waits for an answer ends as if its time were over. The session is not usable any more.
  void cut() noexcept;

  /// Whether the session can be used. Looks whether the server has closed it.
  bool is_usable() const noexcept;
  int backend() const noexcept;

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;
  enum class Ready : std::uint8_t { readable, writable, timed_out };
  struct Wait;

  void allow(std::chrono::milliseconds time);
  Task<Ready> wait(bool for_reading, bool for_writing);
  Async<> poll_connect();
  Async<> flush();
  /// The next result; null between the results of two statements.
  Async<PgResult> next_result();
  /// Queues the statements with one sync. Returns which entries of the pipeline are the calls.
  Result<std::vector<const PgCall*>> queue(const std::vector<PgCall>& calls);
  Async<std::vector<PgResult>> collect(std::vector<const PgCall*> queued,
                                       const std::vector<PgCall>& calls);
  void watch_socket();
  void forget_socket();
  Error lost(SqlErrc code, std::string_view what);
  Error error_of(const PgResult& result);

  const PgTimeLimits limits_;
  PGconn* connection_ = nullptr;
  Descriptor socket_;  ///< the connection's socket, which belongs to libpq
  Timer timer_;
  std::chrono::steady_clock::time_point until_{};
  std::weak_ptr<Wait> waits_;
  bool is_lost_ = false;
  bool is_cut_ = false;
  std::string last_sqlstate_;
  std::unordered_set<std::string> prepared_;
};

}  // namespace concerto::persist
