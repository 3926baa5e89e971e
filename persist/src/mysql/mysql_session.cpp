#include "mysql_session.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <sys/socket.h>

#include <concerto/base/assert.hpp>

#include "mysql_error.hpp"
#include "mysql_opening.hpp"

namespace concerto::persist {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Room in a packet for its header and the semicolon of a statement.
constexpr std::size_t packet_overhead = 64;

}  // namespace

/// A coroutine that waits for one of several events. The first event resumes it.
struct MysqlSession::Wait {
  Completion<int> completion;

  void finish(int event) {
    if (!completion) return;
    Completion<int> resume = std::move(completion);
    resume(event);
  }
};

MysqlSession::MysqlSession(Executor executor, const MysqlOptions& options,
                           asio::thread_pool& openers)
    : options_(options),
      openers_(openers),
      mysql_(mysql_init(nullptr)),
      socket_(executor),
      timer_(executor) {
  if (mysql_ == nullptr) throw std::bad_alloc();
}

MysqlSession::~MysqlSession() {
  release_socket();
  if (is_lost_ && mysql_get_socket(mysql_) != MARIADB_INVALID_SOCKET) {
    drop_unsent();
    mariadb_cancel(mysql_);  // a farewell could block
  }
  mysql_close(mysql_);
}

void MysqlSession::release_socket() {
  if (socket_.is_open()) socket_.release();
}

/// What waits in the socket's buffer must not reach the server later.
void MysqlSession::drop_unsent() {
  const linger none{1, 0};
  ::setsockopt(mysql_get_socket(mysql_), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void MysqlSession::cut() noexcept {
  is_cut_ = true;
  auto waits = waits_.lock();
  if (waits == nullptr) return;
  // Not in this call: what resumes may give connections back.
  asio::post(socket_.get_executor(),
             [waits = std::move(waits)] { waits->finish(MYSQL_WAIT_TIMEOUT); });
}

void MysqlSession::allow_answer() {
  until_ = SteadyClock::now() + options_.time_limits.answer;
}

Task<int> MysqlSession::wait(int events) {
  if (is_cut_) co_return MYSQL_WAIT_TIMEOUT;
  auto start = [this, events](Completion<int> completion) {
    const auto state = std::make_shared<Wait>();
    state->completion = std::move(completion);
    waits_ = state;
    const auto on_socket = [&](Descriptor::wait_type what, int event) {
      if ((events & event) == 0) return;
      socket_.async_wait(what, [state, event](const error_code& error) {
        if (error != asio::error::operation_aborted) state->finish(event);
      });
    };
    on_socket(Descriptor::wait_read, MYSQL_WAIT_READ);
    on_socket(Descriptor::wait_write, MYSQL_WAIT_WRITE);
    timer_.expires_at(until_);
    timer_.async_wait([state](const error_code& error) {
      if (!error) state->finish(MYSQL_WAIT_TIMEOUT);
    });
  };
  const int event = co_await suspend<int>(start);
  if (socket_.is_open()) socket_.cancel();
  timer_.cancel();
  co_return event;
}

/// Carries a call of Connector/C on until it is done. Fails only if time is up.
template <class Continue>
Async<> MysqlSession::finish(int events, Continue go_on) {
  while (events != 0) {
    const int event = co_await wait(events);
    if (event == MYSQL_WAIT_TIMEOUT) {
      is_lost_ = true;
      drop_unsent();
      // The call ends too, so that what it has begun is freed. It closes the socket.
      release_socket();
      for (int left = 8; events != 0 && left > 0; --left) events = go_on(MYSQL_WAIT_TIMEOUT);
      co_return make_error(SqlErrc::answer_lost, "MySQL: no answer in time");
    }
    events = go_on(event);
    // A number that is free again may become that of another socket.
    if (mysql_get_socket(mysql_) != socket_.native_handle()) release_socket();
  }
  co_return ok();
}

Error MysqlSession::error_of(unsigned number, std::string_view text) const {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return make_error(class_of_mysql_error(number),
                    "MySQL: " + line + " (" + std::to_string(number) + ")");
}

Error MysqlSession::last_error() const {
  return error_of(mysql_errno(mysql_), mysql_error(mysql_));
}

Async<> MysqlSession::connect(std::string host, std::string database) {
  CONCERTO_ASSERT(!is_open_);
  auto start = [this, &host, &database](Completion<bool> completion) {
    auto opens = [this, &host, &database, waiter = std::move(completion),
                  executor = asio::prefer(socket_.get_executor(),
                                          asio::execution::outstanding_work.tracked)]() mutable {
      const bool opened = open_now(mysql_, options_, host, database);
      asio::post(executor, [opened, waiter = std::move(waiter)]() mutable { waiter(opened); });
    };
    asio::post(openers_, std::move(opens));
  };
  const bool opened = co_await suspend<bool>(start);
  if (!opened) {
    is_lost_ = true;
    failure_ = {mysql_errno(mysql_), 0};
    Error error = last_error();
    const bool stays =
        error.code == SqlErrc::wrong_schema || error.code == SqlErrc::no_connection_left;
    if (!stays) error.code = make_error_code(SqlErrc::not_now);
    co_return error;
  }
  is_open_ = true;
  socket_.assign(mysql_get_socket(mysql_));
  if (lacks_tls(mysql_, options_, host)) {
    is_lost_ = true;
    co_return make_error(SqlErrc::not_now, "MySQL: the server does not use TLS");
  }
  co_return ok();
}

Async<> MysqlSession::send(const std::string& packet) {
  int failed = 0;
  const int events = mysql_real_query_start(&failed, mysql_, packet.data(), packet.size());
  const auto go_on = [this, &failed](int event) {
    return mysql_real_query_cont(&failed, mysql_, event);
  };
  CONCERTO_CO_CHECK(co_await finish(events, go_on));
  if (failed != 0) co_return last_error();
  co_return ok();
}

Async<> MysqlSession::read_result(std::vector<MysqlResult>& results) {
  MYSQL_RES* rows = nullptr;
  if (mysql_field_count(mysql_) != 0) {
    const int events = mysql_store_result_start(&rows, mysql_);
    const auto go_on = [this, &rows](int event) {
      return mysql_store_result_cont(&rows, mysql_, event);
    };
    CONCERTO_CO_CHECK(co_await finish(events, go_on));
    if (rows == nullptr) co_return last_error();
  }
  results.emplace_back(rows, mysql_affected_rows(mysql_));
  co_return ok();
}

Async<bool> MysqlSession::has_next() {
  if (!mysql_more_results(mysql_)) co_return false;
  int outcome = 0;
  const int events = mysql_next_result_start(&outcome, mysql_);
  const auto go_on = [this, &outcome](int event) {
    return mysql_next_result_cont(&outcome, mysql_, event);
  };
  CONCERTO_CO_CHECK(co_await finish(events, go_on));
  if (outcome > 0) co_return last_error();
  co_return outcome == 0;
}

Async<> MysqlSession::run_packet(std::string packet, std::vector<MysqlResult>& results) {
  CONCERTO_CO_CHECK(co_await send(packet));
  for (;;) {
    CONCERTO_CO_CHECK(co_await read_result(results));
    allow_answer();
    CONCERTO_CO_TRY(const bool more, co_await has_next());
    if (!more) co_return ok();
  }
}

Task<void> MysqlSession::roll_back() {
  std::vector<MysqlResult> none;
  const Result<> done = co_await run_packet("ROLLBACK", none);
  if (!done) is_lost_ = true;
}

Async<std::vector<MysqlResult>> MysqlSession::run(std::vector<std::string> statements,
                                                  MysqlWork work) {
  failure_ = {};
  if (!is_usable()) {
    is_lost_ = true;
    co_return make_error(SqlErrc::not_now, "MySQL: the server has closed the connection");
  }
  allow_answer();
  std::vector<MysqlResult> results;
  results.reserve(statements.size());
  Result<> done = ok();
  for (std::size_t next = 0; next < statements.size() && done;) {
    std::string packet;
    do {
      packet += packet.empty() ? "" : ";";
      packet += statements[next++];
    } while (next < statements.size() &&
             packet.size() + statements[next].size() + packet_overhead < packet_bytes_max_);
    if (packet.size() + packet_overhead > packet_bytes_max_) {
      done = make_error(SqlErrc::refused, "MySQL: a statement is longer than max_allowed_packet, " +
                                              std::to_string(packet_bytes_max_) + " bytes");
    } else {
      done = co_await run_packet(std::move(packet), results);
      if (!done) failure_ = {is_lost_ ? 0 : mysql_errno(mysql_), results.size()};
    }
  }
  if (done) co_return results;
  Error error = std::move(done).error();
  const unsigned number = failure_.number;
  is_lost_ = is_lost_ || is_client_error(number) || error.code == SqlErrc::answer_lost ||
             error.code == SqlErrc::not_now;
  if (!is_lost_ && statements.size() > 1) co_await roll_back();
  if (work == MysqlWork::reads) {
    if (error.code == SqlErrc::answer_lost) error.code = make_error_code(SqlErrc::not_now);
  } else if (failure_.statement + 1 == statements.size() && statements.size() > 1) {
    co_return failed_commit(std::move(error), number);
  }
  co_return error;
}

/// The commit itself failed, and only some errors say that it was rolled back.
Error MysqlSession::failed_commit(Error error, unsigned number) {
  if (error.code == SqlErrc::rolled_back && !is_interruption(number)) return error;
  error.code = make_error_code(SqlErrc::answer_lost);
  is_lost_ = true;
  return error;
}

bool MysqlSession::is_usable() const noexcept {
  if (is_lost_ || is_cut_ || !is_open_) return false;
  // Without a statement under way the server sends only when it ends the connection.
  char byte = 0;
  const auto read = ::recv(mysql_get_socket(mysql_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

std::uint32_t MysqlSession::id() const noexcept {
  return is_open_ ? static_cast<std::uint32_t>(mysql_thread_id(mysql_)) : 0;
}

std::string_view MysqlSession::server_version() const noexcept {
  const char* const version = is_open_ ? mysql_get_server_info(mysql_) : nullptr;
  return version == nullptr ? std::string_view{} : std::string_view{version};
}

}  // namespace concerto::persist
