#pragma once

#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../sql/rows.hpp"

namespace concerto::persist {

/// The parameters of a statement, in binary form.
class PgParams {
 public:
  void null() { values_.emplace_back(); }
  void text(std::string_view value) { values_.emplace_back(value); }
  void text_or_null(const std::optional<std::string>& value) { values_.push_back(value); }
  void int8(std::int64_t value);
  void timestamp(RowTime value);
  void timestamp_or_null(const std::optional<RowTime>& value) {
    value ? timestamp(*value) : null();
  }
  void value(std::string binary) { values_.emplace_back(std::move(binary)); }

  /// Sends the statement of this name, which is prepared. Returns what libpq returns.
  int send(PGconn* connection, const char* name) const;

 private:
  std::vector<std::optional<std::string>> values_;
};

/// An array of one dimension, in binary form.
class PgArray {
 public:
  enum class Type : std::uint32_t {
    boolean = 16,
    bytea = 17,
    int8 = 20,
    text = 25,
    timestamptz = 1184,
  };

  explicit PgArray(Type type);

  void null();
  void text(std::string_view value);  ///< also for bytea
  void text_or_null(const std::optional<std::string>& value) { value ? text(*value) : null(); }
  void int8(std::int64_t value);
  void int8_or_null(const std::optional<std::int64_t>& value) { value ? int8(*value) : null(); }
  void timestamp_or_null(const std::optional<RowTime>& value);
  void boolean(bool value) { text(std::string_view(value ? "\1" : "\0", 1)); }

  /// The array as the value of a parameter. Call it once, last.
  std::string take();

 private:
  std::string bytes_;
  std::uint32_t size_ = 0;
};

/// The result of a statement, in binary form.
class PgResult {
 public:
  PgResult() = default;
  explicit PgResult(PGresult* result) : result_(result) {}

  PGresult* get() const noexcept { return result_.get(); }
  int rows() const noexcept { return PQntuples(get()); }
  std::size_t affected() const noexcept;
  bool is_null(int row, int column) const noexcept { return PQgetisnull(get(), row, column) != 0; }
  /// Empty if the value is null.
  std::string_view text(int row, int column) const noexcept;
  std::string string(int row, int column) const { return std::string(text(row, column)); }
  /// An integer of 2, 4 or 8 bytes; 0 if the value is null.
  std::int64_t integer(int row, int column) const noexcept;
  bool boolean(int row, int column) const noexcept;
  std::optional<RowTime> time(int row, int column) const noexcept;
  /// A timestamp in microseconds since 1970.
  std::int64_t microseconds(int row, int column) const noexcept;

 private:
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

}  // namespace concerto::persist
