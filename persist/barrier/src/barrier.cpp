#include <utility>

#include <concerto/barrier/barrier.hpp>

namespace concerto {
namespace {

// A msg has one barrier: that of its local work.
constexpr std::string_view msg_branch = "00";
constexpr std::string_view msg_op = "msg";
constexpr std::string_view first_number = "01";
constexpr std::string_view reason_of_giving_up = "rollback";

/// Which op takes back which. `rollback` is that of a workflow.
constexpr std::pair<std::string_view, std::string_view> undoing_ops[] = {
    {"cancel", "try"}, {"compensate", "action"}, {"rollback", "action"}};

/// Rolls back at the end of the scope, also when an exception ends it.
class RollBackAtEnd {
 public:
  explicit RollBackAtEnd(BarrierConnection& connection) : connection_(&connection) {}
  ~RollBackAtEnd() {
    if (connection_ != nullptr) connection_->roll_back();
  }
  RollBackAtEnd(const RollBackAtEnd&) = delete;
  RollBackAtEnd& operator=(const RollBackAtEnd&) = delete;

  Result<> commit_instead() { return std::exchange(connection_, nullptr)->commit(); }

 private:
  BarrierConnection* connection_;
};

/// The same for what XA has started.
class AbortAtEnd {
 public:
  AbortAtEnd(XaConnection& connection, std::string_view xid)
      : connection_(&connection), xid_(xid) {}
  ~AbortAtEnd() {
    if (connection_ != nullptr) connection_->xa_abort(xid_);
  }
  AbortAtEnd(const AbortAtEnd&) = delete;
  AbortAtEnd& operator=(const AbortAtEnd&) = delete;

  void release() { connection_ = nullptr; }

 private:
  XaConnection* connection_;
  std::string_view xid_;
};

}  // namespace

// Here, so that the library has the types.
BarrierConnection::~BarrierConnection() = default;
XaConnection::~XaConnection() = default;

Result<> Barrier::check(bool has_connection) const {
  if (!has_connection) {
    return make_error(BarrierErrc::wrong_state, "the connection is a null pointer");
  }
  if (gid().empty()) {
    return make_error(BarrierErrc::wrong_state, "the barrier was moved to another object");
  }
  return ok();
}

std::string Barrier::take_number() {
  const std::string digits = std::to_string(++calls_);
  return digits.size() < 2 ? "0" + digits : digits;
}

std::string_view Barrier::undone_op() const noexcept {
  for (const auto& [undoing, undone] : undoing_ops) {
    if (op() == undoing) return undone;
  }
  return {};
}

BarrierRow Barrier::row(std::string_view op, std::string_view number,
                        std::string_view reason) const {
  return {.table = table_,
          .trans_type = trans_type(),
          .gid = gid(),
          .branch_id = branch_id(),
          .op = op,
          .barrier_id = number,
          .reason = reason};
}

Result<> Barrier::call_through(BarrierConnection& connection, const Work& work) {
  CONCERTO_CHECK(connection.begin());
  RollBackAtEnd transaction(connection);
  CONCERTO_TRY(const BarrierEntry entry, enter_through(connection));
  if (entry == BarrierEntry::run) CONCERTO_CHECK(work());
  return transaction.commit_instead();
}

Result<BarrierEntry> Barrier::enter_through(BarrierConnection& connection) {
  const std::string number = take_number();
  CONCERTO_CHECK(connection.require_transaction());
  bool has_nothing_to_undo = false;
  if (const std::string_view undone = undone_op(); !undone.empty()) {
    // With this row, the action that comes late finds itself done.
    CONCERTO_TRY(has_nothing_to_undo, connection.insert(row(undone, number, op())));
  }
  CONCERTO_TRY(const bool is_first, connection.insert(row(op(), number, op())));
  if (op() == msg_op && !is_first) {
    return make_error(BarrierErrc::duplicated,
                      "the local work of msg '" + gid() + "' was done or given up before");
  }
  return has_nothing_to_undo || !is_first ? BarrierEntry::skip : BarrierEntry::run;
}

Result<> Barrier::query_prepared_through(BarrierConnection& connection) {
  BarrierRow asked = row(msg_op, first_number, reason_of_giving_up);
  asked.branch_id = msg_branch;
  CONCERTO_CHECK(connection.begin());
  RollBackAtEnd transaction(connection);
  // Either this row is there first, and the local work cannot be committed any more, or the row of
  // the work is.
  CONCERTO_CHECK(connection.insert(asked));
  CONCERTO_TRY(const std::string reason, connection.reason_of(asked));
  CONCERTO_CHECK(transaction.commit_instead());
  if (reason == reason_of_giving_up) {
    return branch_failure("the local work of msg '" + gid() + "' was not committed");
  }
  return ok();
}

Result<> Barrier::xa_through(XaConnection& connection, const Work& work) {
  const std::string xid = gid() + "-" + branch_id();
  if (op() == "action") return xa_action(connection, work, xid);
  if (op() == "commit") return connection.xa_commit(xid);
  if (op() == "rollback") return xa_roll_back(connection, xid);
  return make_error(Errc::invalid_request, "a branch of XA has no op '" + op() + "'");
}

Result<> Barrier::xa_action(XaConnection& connection, const Work& work, const std::string& xid) {
  CONCERTO_CHECK(connection.xa_start(xid));
  AbortAtEnd started(connection, xid);
  CONCERTO_TRY(const bool is_first, connection.insert(row("action", first_number, "action")));
  if (!is_first) {
    return make_error(BarrierErrc::duplicated,
                      "the branch '" + xid + "' was prepared or rolled back before");
  }
  CONCERTO_CHECK(work());
  CONCERTO_CHECK(connection.xa_end(xid));
  CONCERTO_CHECK(connection.xa_prepare(xid));
  started.release();
  return ok();
}

/// Leaves a row, so that an action that arrives later fails.
Result<> Barrier::xa_roll_back(XaConnection& connection, const std::string& xid) {
  CONCERTO_CHECK(connection.xa_roll_back(xid));
  CONCERTO_CHECK(connection.begin());
  RollBackAtEnd transaction(connection);
  CONCERTO_CHECK(connection.insert(row("action", first_number, reason_of_giving_up)));
  return transaction.commit_instead();
}

}  // namespace concerto
