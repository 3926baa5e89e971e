#include "mysql_text.hpp"

namespace concerto::persist {

MysqlText& MysqlText::literal(std::string_view open, std::string_view value) {
  text_.reserve(text_.size() + value.size() + open.size() + 1);
  text_ += open;
  for (const char c : value) {
    switch (c) {
      case '\0':
        text_ += "\\0";
        break;
      case '\'':
      case '\\':
        text_ += '\\';
        [[fallthrough]];
      default:
        text_ += c;
    }
  }
  text_ += '\'';
  return *this;
}

}  // namespace concerto::persist
