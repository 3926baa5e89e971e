#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <concerto/barrier/barrier.hpp>

namespace concerto::test {

using Work = std::function<Result<>()>;

/// A connection to a database with the tables account(name, balance, trading) and barrier. The
/// statements of the tests throw std::runtime_error.
class Bank {
 public:
  virtual ~Bank() = default;

  /// Another connection to the same database.
  virtual std::unique_ptr<Bank> again() const = 0;
  virtual void sql(const std::string& statement) = 0;
  /// The first column of the only row.
  virtual std::string value(const std::string& query) = 0;
  /// The default barrier table, and another one, which exists.
  virtual std::string barrier_table() const = 0;
  virtual std::string other_table() const = 0;

  // The functions of Barrier with a pointer to the connection, as users call them.
  virtual Result<> call(Barrier& barrier, const Work& work) = 0;
  virtual Result<BarrierEntry> enter(Barrier& barrier) = 0;
  virtual Result<> query_prepared(Barrier& barrier) = 0;
  virtual Result<> xa(Barrier& barrier, const Work& work) = 0;

  void open_account(const std::string& name, std::int64_t balance = 0) {
    sql("insert into account(name, balance, trading) values('" + name + "', " +
        std::to_string(balance) + ", 0)");
  }
  void add(const std::string& account, std::int64_t amount) {
    sql("update account set balance = balance + " + std::to_string(amount) + " where name = '" +
        account + "'");
  }
  std::int64_t balance(const std::string& account) {
    return std::stoll(value("select balance from account where name = '" + account + "'"));
  }
  std::int64_t rows_of(const std::string& gid) {
    return std::stoll(
        value("select count(*) from " + barrier_table() + " where gid = '" + gid + "'"));
  }
};

using OpenBank = std::unique_ptr<Bank> (*)();

/// The port that the runner of the tests gives for a server.
std::uint16_t port_of(const char* variable);

/// A gid that no other test has.
std::string new_gid();

inline Barrier barrier_of(const std::string& trans_type, const std::string& gid,
                          const std::string& op, const std::string& branch_id = "01") {
  return Barrier::from({.trans_type = trans_type, .gid = gid, .branch_id = branch_id, .op = op})
      .value();
}

/// The functions of Bank that are the same for every type of connection.
template <class Connection>
class BankOn : public Bank {
 public:
  Result<> call(Barrier& barrier, const Work& work) override { return barrier.call(raw(), work); }
  Result<BarrierEntry> enter(Barrier& barrier) override { return barrier.enter(raw()); }
  Result<> query_prepared(Barrier& barrier) override { return barrier.query_prepared(raw()); }
  Result<> xa(Barrier& barrier, const Work& work) override {
    if constexpr (std::derived_from<typename BarrierConnectionTo<Connection>::type, XaConnection>) {
      return barrier.xa(raw(), work);
    } else {
      return make_error(Errc::not_supported, "no XA");
    }
  }

  virtual Connection* raw() = 0;
};

}  // namespace concerto::test
