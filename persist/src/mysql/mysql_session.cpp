#include "mysql_session.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

#include <sys/socket.h>

#include <concerto/base/assert.hpp>

#include "mysql_error.hpp"

namespace concerto::persist {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Errors of the client library itself, rather than of the server, have these numbers.
constexpr bool is_of_client(unsigned number) noexcept {
  return number >= 2000 && number < 3000;
}

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

MysqlSession::MysqlSession(Executor executor, const MysqlOptions& options)
    : options_(options), mysql_(mysql_init(nullptr)), socket_(executor), timer_(executor) {
  if (mysql_ == nullptr) throw std::bad_alloc();
}

MysqlSession::~MysqlSession() {
  if (socket_.is_open()) socket_.release();
  if (is_lost_ && mysql_get_socket(mysql_) != MARIADB_INVALID_SOCKET) {
    // What waits in the socket's buffer must not reach the server later, and no farewell that would
    // block is sent.
    const linger none{1, 0};
    ::setsockopt(mysql_get_socket(mysql_), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    mariadb_cancel(mysql_);
  }
  mysql_close(mysql_);
}

void MysqlSession::allow(std::chrono::milliseconds time) {
  until_ = SteadyClock::now() + time;
}

Task<int> MysqlSession::wait(int events) {
  auto start = [this, events](Completion<int> completion) {
    const auto state = std::make_shared<Wait>();
    state->completion = std::move(completion);
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
  const int event = co_await suspend<int>(std::move(start));
  if (socket_.is_open()) socket_.cancel();
  timer_.cancel();
  co_return event;
}

void MysqlSession::follow_socket() {
  const int socket = mysql_get_socket(mysql_);
  if (socket_.is_open() && socket_.native_handle() == socket) return;
  if (socket_.is_open()) socket_.release();
  if (socket >= 0) socket_.assign(socket);
}

/// Carries a call of Connector/C on until it is done. Fails only if time is up.
template <class Continue>
Async<> MysqlSession::finish(int events, Continue go_on) {
  while (events != 0) {
    follow_socket();
    const int event = co_await wait(events);
    if (event == MYSQL_WAIT_TIMEOUT) {
      is_lost_ = true;
      co_return make_error(SqlErrc::answer_lost, "MySQL: no answer in time");
    }
    events = go_on(event);
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

void MysqlSession::set_options(bool has_tls_name) {
  const my_bool yes = 1, no = 0;
  const unsigned off = 0;
  mysql_options(mysql_, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(mysql_, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(mysql_, MYSQL_OPT_RECONNECT, &no);
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "concerto");
  if (options_.tls == MysqlTls::disable || !has_tls_name) return;
  const auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  mysql_ssl_set(mysql_, file(options_.tls_key_file), file(options_.tls_cert_file),
                file(options_.tls_ca_file), nullptr, nullptr);
  if (options_.tls != MysqlTls::prefer) mysql_options(mysql_, MYSQL_OPT_SSL_ENFORCE, &yes);
  const my_bool verify = options_.tls == MysqlTls::verify ? 1 : 0;
  mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

Async<> MysqlSession::connect(std::string host, std::string database) {
  CONCERTO_ASSERT(!is_open_);
  allow(options_.time_limits.connect);
  const bool is_path = host.starts_with('/');
  set_options(!is_path);
  MYSQL* connected = nullptr;
  const int events = mysql_real_connect_start(
      &connected, mysql_, is_path ? nullptr : host.c_str(), options_.user.c_str(),
      options_.password.c_str(), database.empty() ? nullptr : database.c_str(), options_.port,
      is_path ? host.c_str() : nullptr, CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS);
  const auto go_on = [this, &connected](int event) {
    return mysql_real_connect_cont(&connected, mysql_, event);
  };
  const Result<> done = co_await finish(events, go_on);
  if (!done) {
    co_return make_error(SqlErrc::not_now,
                         "MySQL: no connection within " +
                             std::to_string(options_.time_limits.connect.count()) + " ms");
  }
  if (connected == nullptr) {
    is_lost_ = true;
    failure_ = {mysql_errno(mysql_), 0};
    Error error = last_error();
    if (error.code != SqlErrc::wrong_schema) error.code = make_error_code(SqlErrc::not_now);
    co_return error;
  }
  is_open_ = true;
  follow_socket();
  const bool must_encrypt = options_.tls == MysqlTls::require || options_.tls == MysqlTls::verify;
  if (must_encrypt && !is_path && mysql_get_ssl_cipher(mysql_) == nullptr) {
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
  if (!is_usable()) {
    is_lost_ = true;
    co_return make_error(SqlErrc::not_now, "MySQL: the server has closed the connection");
  }
  allow(options_.time_limits.answer);
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
      failure_ = {};
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
  is_lost_ = is_lost_ || is_of_client(number) || error.code == SqlErrc::answer_lost ||
             error.code == SqlErrc::not_now;
  if (!is_lost_ && statements.size() > 1) co_await roll_back();
  if (work == MysqlWork::reads) {
    if (error.code == SqlErrc::answer_lost) error.code = make_error_code(SqlErrc::not_now);
  } else if (failure_.statement + 1 == statements.size() && error.code != SqlErrc::rolled_back &&
             statements.size() > 1) {
    // The commit itself failed, and nobody says how.
    error.code = make_error_code(SqlErrc::answer_lost);
    is_lost_ = true;
  }
  co_return error;
}

bool MysqlSession::is_usable() const noexcept {
  if (is_lost_ || !is_open_) return false;
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
