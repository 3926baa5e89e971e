#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "wall_zone.hpp"

namespace concerto::persist {

/// Writes the text of a statement. Values become literals.
///
/// The session's character set is utf8mb4 and its sql_mode lacks NO_BACKSLASH_ESCAPES: a backslash
/// before a quote or a backslash keeps every text within its literal.
class MysqlText {
 public:
  explicit MysqlText(const WallZone& zone) noexcept : zone_(zone) {}

  MysqlText& sql(std::string_view part) {
    text_ += part;
    return *this;
  }
  MysqlText& number(std::int64_t value) { return sql(std::to_string(value)); }
  MysqlText& text(std::string_view value) { return literal("'", value); }
  MysqlText& bytes(std::string_view value) { return literal("_binary'", value); }
  MysqlText& time(RowTime time) { return sql("'").sql(zone_.text_of(time)).sql("'"); }
  MysqlText& time(const std::optional<RowTime>& or_null) {
    return or_null ? time(*or_null) : sql("NULL");
  }

  /// Writes `each(item)` for each item, with commas between them.
  template <class Items, class Each>
  MysqlText& list(const Items& items, Each each) {
    bool is_first = true;
    for (const auto& item : items) {
      if (!is_first) text_ += ',';
      is_first = false;
      each(item);
    }
    return *this;
  }
  MysqlText& texts(const auto& values) {
    return list(values, [this](std::string_view value) { text(value); });
  }

  std::size_t size() const noexcept { return text_.size(); }
  /// The text so far; the next part begins a new one.
  std::string take() { return std::exchange(text_, {}); }

 private:
  MysqlText& literal(std::string_view open, std::string_view value);

  const WallZone& zone_;
  std::string text_;
};

}  // namespace concerto::persist
