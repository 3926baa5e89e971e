#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <concerto/barrier/barrier.hpp>

/// One change of an account. A branch gets it as payload.
struct Order {
  std::string account;
  std::int64_t amount = 0;
};

/// The work of a branch, under its barrier, on a connection that lasts as long as the request.
/// `target` is that of the HTTP request.
concerto::Result<> handle_on_postgres(const std::string& target, const Order& order, int port);
concerto::Result<> handle_on_mysql(const std::string& target, const Order& order, int port);

using Step = std::function<concerto::Result<>()>;

/// A branch of XA. `last` is the last step of its action.
concerto::Result<> xa_on_postgres(concerto::Barrier& barrier, const Order& order, int port,
                                  const Step& last);
concerto::Result<> xa_on_mysql(concerto::Barrier& barrier, const Order& order, int port,
                               const Step& last);

/// The local work of a msg.
concerto::Result<> work_on_postgres(concerto::Barrier& barrier, const Order& order, int port);
concerto::Result<> work_on_mysql(concerto::Barrier& barrier, const Order& order, int port);

/// What a call with this op adds to an account's balance, and to `trading`, which has what running
/// TCC transactions add.
struct Changes {
  std::int64_t balance = 0;
  std::int64_t trading = 0;
};
Changes changes_of(const std::string& op, std::int64_t amount);
