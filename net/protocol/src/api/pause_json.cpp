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

Result<PauseBody> pause_body_from(std::string_view text) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(text, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return wrong_kind("the request body", "an object", parsed.root());
  }
  PauseBody body;
  Pause& pause = body.pause;
  std::string kind;
  for (const JsonValue member : parsed.root()) {
    CONCERTO_CHECK(check_member(parsed.root(), member));
    const std::string_view name = member.key();
    if (name == "kind") {
      CONCERTO_CHECK(read_json(name, member, kind));
    } else if (name == "value") {
      CONCERTO_CHECK(read_json(name, member, pause.value));
    } else if (name == "reason") {
      CONCERTO_CHECK(read_json(name, member, pause.reason));
    } else if (name == "dryRun") {
      CONCERTO_CHECK(read_json(name, member, body.dry_run));
    } else {
      return unknown_member("the request body", name);
    }
  }
  const auto read = pause_kind_from(kind);
  if (!read) {
    return make_error(Errc::invalid_request,
                      "kind: expected target, topic or mode, found '" + kind + "'");
  }
  pause.kind = *read;
  return body;
}

std::string pause_json(const Pause& pause, std::chrono::minutes offset) {
  return boost::json::serialize(pause_object(pause, offset));
}

std::string pause_preview_json(const Pause& pause, const BulkPreview& preview,
                               std::chrono::minutes offset, const ModeTable& modes) {
  boost::json::object object = preview_object(preview, offset, modes);
  object["kind"] = to_string(pause.kind);
  object["value"] = to_utf8(pause.value);
  object["reason"] = to_utf8(pause.reason);
  object["waiting"] = preview.matched;
  return boost::json::serialize(object);
}

std::string pauses_json(const std::vector<Pause>& pauses, const PauseCounts* counts,
                        std::chrono::minutes offset) {
  boost::json::array array;
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    boost::json::object object = pause_object(pauses[i], offset);
    if (counts != nullptr) object["waiting"] = counts->waiting[i];
    array.push_back(std::move(object));
  }
  boost::json::object object;
  object["pauses"] = std::move(array);
  if (counts != nullptr) object["complete"] = counts->is_complete;
  return boost::json::serialize(object);
}

}  // namespace concerto::net
