#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include <concerto/barrier/barrier_connection.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Whether the business of a request is to be done.
enum class BarrierEntry {
  run,
  skip,  ///< it was done before, there is nothing to undo, or it has been undone already
};

/// The values that a coordinator sends with each call of a branch.
struct BarrierRequest {
  std::string trans_type;
  std::string gid;
  std::string branch_id;
  std::string op;
};

/// Makes the calls of one branch safe to repeat: rows in a table of the service's own database,
/// written in the transaction that does the work, say what was done. A repeated call does nothing,
/// a compensation of something that never happened does nothing, and an action that arrives after
/// its compensation does nothing. The table and the rules are those of DTM's SDKs, so that services
/// in several languages share one table.
///
///     auto barrier = Barrier::from_request(request);
///     auto done = barrier->call(connection, [&] { return withdraw(connection, 30); });
///     return branch_answer<grpc::Status>(done);  // or of Beast, or of concerto::net
///
/// A barrier belongs to one request and to one thread. It numbers its calls 01, 02 and so on; a
/// request that makes several calls makes them in the same order when it is repeated. To try again,
/// make a new barrier from the request.
///
/// `connection` is a PGconn*, MYSQL* or sqlite3* (with the database's header included), or a
/// BarrierConnection&. The barrier neither opens nor closes it.
class CONCERTO_EXPORT Barrier {
 public:
  /// Error invalid_request if a value is missing or longer than its column.
  [[nodiscard]] static Result<Barrier> from(BarrierRequest request);
  /// Of a request as a server has it: a request of Beast, a grpc::ServerContext (the values are in
  /// its metadata), a concerto::net::HttpRequest or a concerto::net::GrpcRequest.
  template <class Request>
  [[nodiscard]] static Result<Barrier> from_request(const Request& request) {
    if constexpr (requires { request.target(); }) {
      const auto target = request.target();
      return from_query({target.data(), target.size()});
    } else if constexpr (requires { request.client_metadata(); }) {
      return from_metadata(request.client_metadata());
    } else if constexpr (requires { request.metadata; }) {
      return from_metadata(request.metadata);
    } else {
      static_assert(
          requires { request.query; },
          "from_request reads requests of Beast, gRPC C++ and concerto::net; use "
          "from_query, from_metadata or from_map for others");
      return from_map(request.query);
    }
  }
  /// Of an object with the same members, such as client::WorkflowStep and client::XaCall.
  template <class Call>
    requires requires(const Call& call) {
      std::string{call.trans_type};
      std::string{call.gid};
      std::string{call.branch_id};
      std::string{call.op};
    }
  [[nodiscard]] static Result<Barrier> from(const Call& call) {
    return from(BarrierRequest{.trans_type = call.trans_type,
                               .gid = call.gid,
                               .branch_id = call.branch_id,
                               .op = call.op});
  }
  /// Of a query string, or of a request's target: `/path?gid=..&trans_type=..&branch_id=..&op=..`.
  [[nodiscard]] static Result<Barrier> from_query(std::string_view query);
  /// Of gRPC metadata, `dtm-gid` and so on: any range of pairs, such as
  /// grpc::ServerContext::client_metadata().
  template <class Pairs>
  [[nodiscard]] static Result<Barrier> from_metadata(const Pairs& pairs) {
    return from_pairs(pairs, "dtm-");
  }
  /// Of pairs with the names `gid`, `trans_type`, `branch_id` and `op`.
  template <class Pairs>
  [[nodiscard]] static Result<Barrier> from_map(const Pairs& pairs) {
    return from_pairs(pairs, "");
  }

  /// Another barrier table, as statements name it. The default is `dtm_barrier.barrier`, for SQLite
  /// `barrier`. Configuration only: the name becomes a part of statements.
  void use_table(std::string name) { table_ = std::move(name); }

  const std::string& trans_type() const noexcept { return request_.trans_type; }
  const std::string& gid() const noexcept { return request_.gid; }
  const std::string& branch_id() const noexcept { return request_.branch_id; }
  const std::string& op() const noexcept { return request_.op; }

  /// Begins a transaction, runs `business` in it unless it is to be skipped, and commits. An error
  /// of `business` (branch_failure(..), for example) or an exception rolls back and is passed on.
  /// Success means: the business is done, now or before, or must not be done.
  /// `business` is called without arguments and returns void or Result<>. It must not end the
  /// transaction. The local work of a msg that is repeated is the error `duplicated`.
  template <class Connection, class Business>
  [[nodiscard]] Result<> call(Connection&& connection, Business&& business) {
    return with(connection, [&](BarrierConnection& through) {
      return call_through(through, to_work(business));
    });
  }

  /// The part of `call` within a transaction of the caller's, who commits after `run` and `skip`
  /// and rolls back after an error.
  template <class Connection>
  [[nodiscard]] Result<BarrierEntry> enter(Connection&& connection) {
    return with(connection, [&](BarrierConnection& through) { return enter_through(through); });
  }

  /// Answers the coordinator's question about a msg: success if the local work was committed, else
  /// the error `failure`, and then it cannot be committed any more.
  template <class Connection>
  [[nodiscard]] Result<> query_prepared(Connection&& connection) {
    return with(connection,
                [&](BarrierConnection& through) { return query_prepared_through(through); });
  }

  /// A branch of XA. For the op `action`: does the business in a transaction `<gid>-<branch_id>`
  /// and prepares it. The last thing that `business` does is to register the branch at the
  /// coordinator. For `commit` and `rollback`, on any connection: ends the prepared transaction.
  /// MySQL and MariaDB: close the connection after an `action`, before the answer. Until then
  /// nobody can end what it has prepared, and `commit` and `rollback` are errors.
  template <class Connection, class Business>
  [[nodiscard]] Result<> xa(Connection&& connection, Business&& business) {
    return with(connection, [&](auto& through) {
      static_assert(std::derived_from<std::remove_cvref_t<decltype(through)>, XaConnection>,
                    "XA needs PostgreSQL, MySQL or MariaDB");
      return xa_through(through, to_work(business));
    });
  }

  /// The number of the next call, as a column and as a part of Redis's keys.
  std::string take_number();
  /// The op that this op undoes; empty if it undoes none.
  std::string_view undone_op() const noexcept;
  /// Error wrong_state without a connection, and of a Barrier that was moved to another object.
  [[nodiscard]] Result<> check(bool has_connection) const;

 private:
  using Work = std::function<Result<>()>;

  explicit Barrier(BarrierRequest request) : request_(std::move(request)) {}

  template <class Connection, class Use>
  auto with(Connection& connection, Use use) const {
    if constexpr (std::is_pointer_v<Connection>) {
      using To = typename BarrierConnectionTo<std::remove_pointer_t<Connection>>::type;
      using Answer = std::invoke_result_t<Use&, To&>;
      To through(connection);
      const Result<> usable = check(connection != nullptr);
      return usable ? use(through) : Answer(usable.error());
    } else {
      using Answer = std::invoke_result_t<Use&, Connection&>;
      const Result<> usable = check(true);
      return usable ? use(connection) : Answer(usable.error());
    }
  }

  template <class Business>
  static Work to_work(Business& business) {
    using Returned = std::invoke_result_t<Business&>;
    static_assert(std::is_void_v<Returned> || std::is_convertible_v<Returned, Result<>>,
                  "business returns nothing, or a concerto::Result<>");
    if constexpr (std::is_void_v<Returned>) {
      return [&business]() -> Result<> {
        business();
        return ok();
      };
    } else {
      return [&business]() -> Result<> { return business(); };
    }
  }

  template <class Pairs>
  static Result<Barrier> from_pairs(const Pairs& pairs, std::string_view prefix) {
    BarrierRequest request;
    for (const auto& [name, value] : pairs) {
      take_value(request, prefix, {name.data(), name.size()}, {value.data(), value.size()});
    }
    return from(std::move(request));
  }
  static void take_value(BarrierRequest& request, std::string_view prefix, std::string_view name,
                         std::string_view value);

  Result<> call_through(BarrierConnection& connection, const Work& work);
  Result<BarrierEntry> enter_through(BarrierConnection& connection);
  Result<> query_prepared_through(BarrierConnection& connection);
  Result<> xa_through(XaConnection& connection, const Work& work);
  Result<> xa_action(XaConnection& connection, const Work& work, const std::string& xid);
  Result<> xa_roll_back(XaConnection& connection, const std::string& xid);
  BarrierRow row(std::string_view op, std::string_view number, std::string_view reason) const;

  BarrierRequest request_;
  std::string table_;  ///< empty: the database's default
  int calls_ = 0;
};

}  // namespace concerto
