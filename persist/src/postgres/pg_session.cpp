#include "pg_session.hpp"

#include <boost/asio/post.hpp>
#include <sys/socket.h>

#include <concerto/base/assert.hpp>

namespace concerto::persist {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// libpq's texts are of several lines; logs and answers have one.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, text.find_last_not_of(" \n") + 1));
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

std::string_view field(const PgResult& result, int code) noexcept {
  const char* text = PQresultErrorField(result.get(), code);
  return text == nullptr ? std::string_view{} : std::string_view{text};
}

bool is_error(const PgResult& result) noexcept {
  const ExecStatusType status = PQresultStatus(result.get());
  return status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED ||
         status == PGRES_BAD_RESPONSE;
}

}  // namespace

/// A coroutine that waits for one of several events. The first event resumes it.
struct PgSession::Wait {
  Completion<Ready> completion;

  void finish(Ready ready) {
    if (!completion) return;
    Completion<Ready> resume = std::move(completion);
    resume(ready);
  }
};

PgSession::PgSession(Executor executor, const PgTimeLimits& limits)
    : limits_(limits), socket_(executor), timer_(executor) {}

PgSession::~PgSession() {
  forget_socket();
  if (connection_ == nullptr) return;
  if (is_lost_ && PQsocket(connection_) >= 0) {
    // What waits in the socket's buffer must not reach the server later.
    const linger none{1, 0};
    ::setsockopt(PQsocket(connection_), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  PQfinish(connection_);
}

void PgSession::allow(std::chrono::milliseconds time) {
  until_ = SteadyClock::now() + time;
}

void PgSession::cut() noexcept {
  is_cut_ = true;
  auto waits = waits_.lock();
  if (waits == nullptr) return;
  // Not in this call: what resumes may give connections back.
  asio::post(socket_.get_executor(),
             [waits = std::move(waits)] { waits->finish(Ready::timed_out); });
}

Task<PgSession::Ready> PgSession::wait(bool for_reading, bool for_writing) {
  if (is_cut_) co_return Ready::timed_out;
  auto start = [this, for_reading, for_writing](Completion<Ready> completion) {
    const auto state = std::make_shared<Wait>();
    state->completion = std::move(completion);
    waits_ = state;
    const auto on_socket = [&](Descriptor::wait_type what, Ready ready) {
      socket_.async_wait(what, [state, ready](const error_code& error) {
        if (error != asio::error::operation_aborted) state->finish(ready);
      });
    };
    if (for_reading) on_socket(Descriptor::wait_read, Ready::readable);
    if (for_writing) on_socket(Descriptor::wait_write, Ready::writable);
    timer_.expires_at(until_);
    timer_.async_wait([state](const error_code& error) {
      if (!error) state->finish(Ready::timed_out);
    });
  };
  const Ready ready = co_await suspend<Ready>(start);
  socket_.cancel();
  timer_.cancel();
  co_return ready;
}

void PgSession::watch_socket() {
  const int socket = PQsocket(connection_);
  if (socket >= 0) socket_.assign(socket);
}

void PgSession::forget_socket() {
  if (socket_.is_open()) socket_.release();
}

Error PgSession::lost(SqlErrc code, std::string_view what) {
  is_lost_ = true;
  std::string detail = "PostgreSQL: " + std::string(what);
  const std::string why = one_line(PQerrorMessage(connection_));
  if (!why.empty()) detail += ": " + why;
  return make_error(code, std::move(detail));
}

Error PgSession::error_of(const PgResult& result) {
  const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
  last_sqlstate_ = sqlstate;
  // Without a code the error is libpq's own: it has lost the connection.
  if (sqlstate.empty()) return lost(SqlErrc::answer_lost, "the connection was lost");
  SqlErrc code = class_of_sqlstate(sqlstate);
  if (sqlstate == "23505" && field(result, PG_DIAG_TABLE_NAME) == "trans_branch_op") {
    code = SqlErrc::branch_exists;
  }
  // A column's type has changed since the session prepared the statement. A new session prepares it
  // anew.
  if (field(result, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery") code = SqlErrc::not_now;
  if (code == SqlErrc::not_now) is_lost_ = true;
  return make_error(code, "PostgreSQL: " + one_line(field(result, PG_DIAG_MESSAGE_PRIMARY)) + " (" +
                              std::string(sqlstate) + ")");
}

Async<> PgSession::connect(PgParameters parameters, std::string setup) {
  CONCERTO_ASSERT(connection_ == nullptr);
  allow(limits_.connect);
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) {
    co_return lost(SqlErrc::not_now, "no connection");
  }
  // By default libpq writes notices to stderr, between the lines of the log.
  const PQnoticeProcessor ignore_notice = [](void*, const char*) {};
  PQsetNoticeProcessor(connection_, ignore_notice, nullptr);
  CONCERTO_CO_CHECK(co_await poll_connect());
  PQsetnonblocking(connection_, 1);
  const Result<> prepared = co_await run_script(std::move(setup));
  if (!prepared && prepared.error().code == SqlErrc::answer_lost) {
    co_return make_error(SqlErrc::not_now, prepared.error().detail);
  }
  co_return prepared;
}

Async<> PgSession::poll_connect() {
  // libpq calls for writing first.
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) {
      const std::string why = one_line(PQerrorMessage(connection_));
      // libpq does not give the code of an error while it connects.
      const bool refuses = why.find("does not exist") != why.npos ||
                           why.find("authentication failed") != why.npos ||
                           why.find("no pg_hba.conf entry") != why.npos;
      const bool is_full = why.find("too many connections") != why.npos ||
                           why.find("too many clients") != why.npos ||
                           why.find("connection slots are reserved") != why.npos;
      const SqlErrc code = refuses ? SqlErrc::wrong_schema : SqlErrc::not_now;
      co_return lost(is_full ? SqlErrc::no_connection_left : code, "no connection");
    }
    watch_socket();
    const bool reads = next == PGRES_POLLING_READING;
    const Ready ready = co_await wait(reads, !reads);
    // Between two calls libpq may take another socket, with the same number.
    forget_socket();
    if (ready == Ready::timed_out) {
      is_lost_ = true;
      co_return make_error(SqlErrc::not_now, "PostgreSQL: no connection within " +
                                                 std::to_string(limits_.connect.count()) + " ms");
    }
    next = PQconnectPoll(connection_);
  }
  watch_socket();
  co_return ok();
}

Async<> PgSession::flush() {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) co_return ok();
    if (left < 0) co_return lost(SqlErrc::answer_lost, "the connection was lost");
    // The server may wait until its answers are read.
    const Ready ready = co_await wait(true, true);
    if (ready == Ready::timed_out) co_return lost(SqlErrc::answer_lost, "no answer in time");
    if (ready == Ready::readable && PQconsumeInput(connection_) == 0) {
      co_return lost(SqlErrc::answer_lost, "the connection was lost");
    }
  }
}

Async<PgResult> PgSession::next_result() {
  while (PQisBusy(connection_) != 0) {
    const Ready ready = co_await wait(true, false);
    if (ready == Ready::timed_out) co_return lost(SqlErrc::answer_lost, "no answer in time");
    if (PQconsumeInput(connection_) == 0) {
      co_return lost(SqlErrc::answer_lost, "the connection was lost");
    }
  }
  co_return PgResult(PQgetResult(connection_));
}

Async<> PgSession::run_script(std::string script) {
  allow(limits_.answer);
  PQexitPipelineMode(connection_);
  if (PQsendQuery(connection_, script.c_str()) == 0) {
    co_return lost(SqlErrc::not_now, "the connection was lost");
  }
  CONCERTO_CO_CHECK(co_await flush());
  std::optional<Error> first;
  for (;;) {
    CONCERTO_CO_TRY(const PgResult result, co_await next_result());
    if (result.get() == nullptr) break;
    if (is_error(result) && !first) first = error_of(result);
  }
  const bool pipelines = PQenterPipelineMode(connection_) != 0;
  if (first) co_return *first;
  if (!pipelines) co_return lost(SqlErrc::answer_lost, "the connection was lost");
  co_return ok();
}

Result<std::vector<const PgCall*>> PgSession::queue(const std::vector<PgCall>& calls) {
  std::vector<const PgCall*> queued;
  bool sent = true;
  for (const PgCall& call : calls) {
    const PgStatement& statement = *call.statement;
    if (!prepared_.contains(statement.name)) {
      sent = sent && PQsendPrepare(connection_, statement.name, statement.text, 0, nullptr) != 0;
      queued.push_back(nullptr);
    }
    sent = sent && call.params.send(connection_, statement.name) != 0;
    queued.push_back(&call);
  }
  sent = sent && PQpipelineSync(connection_) != 0;
  if (!sent) return lost(SqlErrc::answer_lost, "the connection was lost");
  return queued;
}

Async<std::vector<PgResult>> PgSession::run(std::vector<PgCall> calls) {
  if (!is_usable()) co_return lost(SqlErrc::not_now, "the server has closed the connection");
  allow(limits_.answer);
  CONCERTO_CO_TRY(std::vector<const PgCall*> queued, queue(calls));
  CONCERTO_CO_CHECK(co_await flush());
  co_return co_await collect(std::move(queued), calls);
}

Async<std::vector<PgResult>> PgSession::collect(std::vector<const PgCall*> queued,
                                                const std::vector<PgCall>& calls) {
  std::vector<PgResult> results;
  results.reserve(calls.size());
  std::optional<Error> first;
  std::size_t next = 0;
  for (;;) {
    CONCERTO_CO_TRY(PgResult result, co_await next_result());
    if (result.get() == nullptr) {
      if (PQstatus(connection_) != CONNECTION_BAD) continue;
      co_return first ? *first : lost(SqlErrc::answer_lost, "the connection was lost");
    }
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
    if (is_error(result)) {
      if (!first) first = error_of(result);
    } else if (next < queued.size() && queued[next] == nullptr) {
      prepared_.insert(queued[next + 1]->statement->name);
    } else {
      results.push_back(std::move(result));
    }
    ++next;
  }
  if (first) co_return *first;
  CONCERTO_ASSERT(results.size() == calls.size());
  co_return results;
}

bool PgSession::is_usable() const noexcept {
  if (is_lost_ || is_cut_ || connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK)
    return false;
  // Without a statement under way the server sends only when it ends the connection.
  char byte = 0;
  const auto read = ::recv(PQsocket(connection_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return read < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int PgSession::backend() const noexcept {
  return connection_ == nullptr ? 0 : PQbackendPID(connection_);
}

}  // namespace concerto::persist
