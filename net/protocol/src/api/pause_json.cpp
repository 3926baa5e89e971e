#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/utf8.hpp>

#include "api/bulk_json.hpp"
#include "api/json_read.hpp"
#include "api/time_text.hpp"

namespace concerto::net {
namespace {

boost::json::object pause_object(const Pause& pause, std::chrono::minutes offset) {
  boost::json::object object;
  object["kind"] = to_string(pause.kind);
  object["value"] = to_utf8(pause.value);
  object["reason"] = to_utf8(pause.reason);
  object["caller"] = to_utf8(pause.caller);
  object["since"] = format_time(pause.since, offset);
  return object;
}

}  // namespace

Result<Pause> pause_from(std::string_view body) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(body, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return wrong_kind("the request body", "an object", parsed.root());
  }
  Pause pause;
  std::string kind;
  for (const JsonValue member : parsed.root()) {
    const std::string_view name = member.key();
    if (member.is(JsonKind::null)) continue;
    if (name == "kind") {
      CONCERTO_CHECK(read_json(name, member, kind));
    } else if (name == "value") {
      CONCERTO_CHECK(read_json(name, member, pause.value));
    } else if (name == "reason") {
      CONCERTO_CHECK(read_json(name, member, pause.reason));
    } else {
      return make_error(Errc::invalid_request,
                        "the request body has the unknown member '" + std::string(name) + "'");
    }
  }
  const auto read = pause_kind_from(kind);
  if (!read) {
    return make_error(Errc::invalid_request, "kind: expected target or mode, found '" + kind + "'");
  }
  pause.kind = *read;
  return pause;
}

std::string pause_json(const Pause& pause, std::chrono::minutes offset) {
  return boost::json::serialize(pause_object(pause, offset));
}

std::string pauses_json(const std::vector<Pause>& pauses, std::chrono::minutes offset) {
  boost::json::array array;
  for (const Pause& pause : pauses) array.push_back(pause_object(pause, offset));
  boost::json::object object;
  object["pauses"] = std::move(array);
  return boost::json::serialize(object);
}

}  // namespace concerto::net
