#include "pg_wire.hpp"

#include <charconv>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::persist {
namespace {

/// PostgreSQL counts from 2000-01-01.
constexpr std::int64_t epoch_s = 946'684'800;
constexpr std::int64_t second_us = 1'000'000;

void put(std::string& bytes, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xff);
  }
}

std::string binary(std::int64_t value) {
  std::string bytes;
  put(bytes, static_cast<std::uint64_t>(value), 8);
  return bytes;
}

std::int64_t database_time(RowTime time) {
  return (time - epoch_s) * second_us;
}

}  // namespace

void PgParams::int8(std::int64_t value) {
  values_.emplace_back(binary(value));
}

void PgParams::timestamp(RowTime value) {
  values_.emplace_back(binary(database_time(value)));
}

int PgParams::send(PGconn* connection, const char* name) const {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::optional<std::string>& value : values_) {
    values.push_back(value ? value->data() : nullptr);
    lengths.push_back(value ? static_cast<int>(value->size()) : 0);
  }
  const std::vector<int> formats(values_.size(), 1);
  return PQsendQueryPrepared(connection, name, static_cast<int>(values_.size()), values.data(),
                             lengths.data(), formats.data(), 1);
}

PgArray::PgArray(Type type) {
  put(bytes_, 1, 4);  // dimensions
  put(bytes_, 1, 4);  // there may be nulls
  put(bytes_, static_cast<std::uint32_t>(type), 4);
  put(bytes_, 0, 4);  // size, set by `take`
  put(bytes_, 1, 4);  // index of the first element
}

void PgArray::null() {
  ++size_;
  put(bytes_, 0xffffffff, 4);
}

void PgArray::text(std::string_view value) {
  ++size_;
  put(bytes_, value.size(), 4);
  bytes_ += value;
}

void PgArray::int8(std::int64_t value) {
  ++size_;
  put(bytes_, 8, 4);
  put(bytes_, static_cast<std::uint64_t>(value), 8);
}

void PgArray::timestamp_or_null(const std::optional<RowTime>& value) {
  value ? int8(database_time(*value)) : null();
}

std::string PgArray::take() {
  constexpr std::size_t size_at = 12;
  std::string size;
  put(size, size_, 4);
  bytes_.replace(size_at, size.size(), size);
  return std::move(bytes_);
}

std::size_t PgResult::affected() const noexcept {
  const std::string_view text = PQcmdTuples(get());
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::string_view PgResult::text(int row, int column) const noexcept {
  return {PQgetvalue(get(), row, column),
          static_cast<std::size_t>(PQgetlength(get(), row, column))};
}

std::int64_t PgResult::integer(int row, int column) const noexcept {
  const std::string_view bytes = text(row, column);
  if (bytes.empty()) return 0;
  // The first byte has the sign.
  std::uint64_t value = (bytes.front() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

bool PgResult::boolean(int row, int column) const noexcept {
  const std::string_view bytes = text(row, column);
  return !bytes.empty() && bytes.front() != '\0';
}

std::optional<RowTime> PgResult::time(int row, int column) const noexcept {
  if (is_null(row, column)) return std::nullopt;
  const std::int64_t us = microseconds(row, column);
  return us / second_us - (us % second_us < 0 ? 1 : 0);
}

std::int64_t PgResult::microseconds(int row, int column) const noexcept {
  return integer(row, column) + epoch_s * second_us;
}

}  // namespace concerto::persist
