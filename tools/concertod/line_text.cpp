#include "line_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <concerto/base/utf8.hpp>

namespace concerto::tools {

std::string json_text(std::string_view text) {
  const std::string valid = to_utf8(text);
  return visible_line(boost::json::serialize(boost::json::string_view{valid.data(), valid.size()}));
}

}  // namespace concerto::tools
