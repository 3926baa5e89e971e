#include "api/edit_json.hpp"

#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/base64.hpp>
#include <concerto/base/utf8.hpp>

#include "api/bulk_json.hpp"
#include "api/json_read.hpp"

namespace concerto::net {
namespace {

Error bad_edit(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

Result<> read_payload(std::string_view name, JsonValue value, EditBody& body) {
  if (body.edit.payload) return bad_edit("payload and payloadBase64: expected one of them");
  std::string text;
  CONCERTO_CHECK(read_json(name, value, text));
  if (name == "payload") {
    body.edit.payload = std::move(text);
    return ok();
  }
  body.edit.payload = base64_decode(text);
  return body.edit.payload ? ok() : Result<>(bad_edit("payloadBase64: this is no text of base64"));
}

Result<> read_edit_member(std::string_view name, JsonValue value, EditBody& body) {
  BranchEdit& edit = body.edit;
  if (name == "gid") {
    std::string gid;
    CONCERTO_CHECK(read_json(name, value, gid));
    edit.gid = Gid{std::move(gid)};
    return ok();
  }
  if (name == "branchId") return read_some_text(name, value, edit.row.branch_id);
  if (name == "op") return read_some_text(name, value, edit.row.op);
  if (name == "url") return read_json(name, value, edit.url.emplace());
  if (name == "payload" || name == "payloadBase64") return read_payload(name, value, body);
  if (name == "reason") return read_json(name, value, body.reason);
  if (name == "dryRun") return read_json(name, value, body.dry_run);
  return unknown_member("the request body", name);
}

void add_edit(boost::json::object& object, const BranchEdited& edited) {
  object["branchId"] = to_utf8(edited.row.branch_id);
  object["op"] = to_utf8(edited.row.op);
  object["urlBefore"] = to_utf8(edited.url_before);
  object["url"] = to_utf8(edited.url);
  object["payloadBytesBefore"] = edited.payload_bytes_before;
  object["payloadBytes"] = edited.payload_bytes;
}

}  // namespace

Result<> check_row_is_named(std::string_view what, const BranchRow& row) {
  const bool lacks_branch = row.branch_id.empty(), lacks_op = row.op.empty();
  if (!lacks_branch && !lacks_op) return ok();
  const char* const missing = lacks_branch && lacks_op ? "both are missing"
                              : lacks_branch           ? "branchId is missing"
                                                       : "op is missing";
  return make_error(Errc::invalid_request,
                    "branchId and op: " + std::string(what) + " needs both, and " + missing +
                        "; the same request for one gid with \"dryRun\": true tells which row "
                        "is called next, and query shows all rows");
}

Result<EditBody> edit_body_from(std::string_view text) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(text, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return wrong_kind("the request body", "an object", parsed.root());
  }
  EditBody body;
  for (const JsonValue member : parsed.root()) {
    CONCERTO_CHECK(check_member(parsed.root(), member));
    CONCERTO_CHECK(read_edit_member(member.key(), member, body));
  }
  if (!body.dry_run) CONCERTO_CHECK(check_row_is_named("an edit", body.edit.row));
  return body;
}

std::string edited_json(const BranchEdited& edited) {
  boost::json::object object;
  object["done"] = 1;
  object["failed"] = 0;
  add_edit(object, edited);
  return boost::json::serialize(object);
}

std::string edit_preview_json(const BranchEdited& edited, std::chrono::minutes offset,
                              const ModeTable& modes) {
  BulkPreview preview;
  preview.matched = 1;
  preview.sample.push_back(edited.trans);
  preview.urls.push_back({edited.url_before});
  boost::json::object object = preview_object(preview, offset, modes);
  add_edit(object, edited);
  return boost::json::serialize(object);
}

}  // namespace concerto::net
