#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <mariadb/mysql.h>

#include <concerto/barrier/mysql.hpp>

#include "bank.hpp"

namespace concerto::test {

class MysqlBank final : public BankOn<MYSQL> {
 public:
  static std::unique_ptr<Bank> open() { return std::make_unique<MysqlBank>(); }

  MysqlBank() : connection_(mysql_init(nullptr), &mysql_close) {
    mysql_options(raw(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(raw(), "127.0.0.1", "root", "", "bank", port_of("CONCERTO_TEST_MYSQL"),
                           nullptr, 0) == nullptr) {
      throw std::runtime_error(mysql_error(raw()));
    }
  }

  MYSQL* raw() override { return connection_.get(); }
  std::unique_ptr<Bank> again() const override { return open(); }
  void sql(const std::string& statement) override {
    if (mysql_real_query(raw(), statement.data(), statement.size()) != 0) {
      throw std::runtime_error(statement + ": " + mysql_error(raw()));
    }
  }
  std::string value(const std::string& query) override {
    sql(query);
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> rows(mysql_store_result(raw()),
                                                                        &mysql_free_result);
    if (mysql_num_rows(rows.get()) != 1) throw std::runtime_error(query + ": not one row");
    return mysql_fetch_row(rows.get())[0];
  }
  std::string barrier_table() const override { return "dtm_barrier.barrier"; }
  std::string other_table() const override { return "other_barrier"; }

 private:
  std::unique_ptr<MYSQL, decltype(&mysql_close)> connection_;
};

}  // namespace concerto::test
