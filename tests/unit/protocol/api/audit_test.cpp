// What operators' requests leave in the audit log.

#include <array>
#include <optional>
#include <vector>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "api/audited.hpp"
#include "api/openapi_document.hpp"
#include "await_result.hpp"
#include "http_api_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Keeps records as texts, or fails.
class RecordedAudit final : public ActionAudit {
 public:
  std::string next_id() override { return std::to_string(++ids_); }
  Async<> write(AuditRecord record) override {
    if (is_full) co_return make_error(Errc::overloaded, "the disk of the audit log is full");
    records.push_back(std::move(record));
    co_return ok();
  }
  Async<AuditPage> read(AuditQuery query) override {
    asked = std::move(query);
    AuditPage page;
    page.records = {R"({"id":"2"})", R"({"id":"1"})"};
    page.next_position = "7-1";
    co_return page;
  }

  /// `<id> <event> <action> <gid or topic>: <result>` of each record.
  std::vector<std::string> told() const {
    static constexpr std::array events{"begun", "done", "failed", "refused"};
    std::vector<std::string> texts;
    for (const AuditRecord& record : records) {
      texts.push_back(record.id + " " + events.at(static_cast<std::size_t>(record.event)) + " " +
                      record.action + " " + record.gid + record.topic + ": " + record.result);
    }
    return texts;
  }

  std::vector<AuditRecord> records;
  std::optional<AuditQuery> asked;
  bool is_full = false;

 private:
  int ids_ = 0;
};

struct HasAudit {
  RecordedAudit audit_;
  GateOptions audited_with(RoleSet roles) {
    GateOptions options;
    options.roles = roles;
    options.audit = &audit_;
    return options;
  }
};

class Audited : public HasAudit, public HttpApiTest {
 protected:
  explicit Audited(RoleSet roles = RoleSet::all()) : HttpApiTest({}, audited_with(roles)) {}

  HttpAnswer post_why(std::string_view path, std::string_view why, std::string_view body) {
    RawPeer& peer = connect_http();
    peer.send(
        "POST " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
        "X-Concerto-Reason: " + std::string{why} +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body});
    run_until([&] { return peer.saw_end(); });
    return parse_answer(peer.received());
  }
};

TEST_F(Audited, AnActionHasARecordBeforeItAndOneAfterIt) {
  branches_.hold("action 01");
  post("submit", json_request("g", "saga", 1));
  EXPECT_EQ(post_why("/api/dtmsvr/forceStop", "the bank\xff asked", R"({"gid":"g"})").status, 200U);
  EXPECT_EQ(post("forceStop", R"({"gid":"g"})").status, 409U);
  EXPECT_THAT(audit_.told(), ElementsAre("1 begun forceStop g: ", "1 done forceStop g: 200",
                                         "2 begun forceStop g: ",
                                         StartsWith("2 failed forceStop g: 409, global")));
  EXPECT_EQ(audit_.records[0].reason, "the bank\xff asked");
  EXPECT_EQ(audit_.records[1].reason, audit_.records[0].reason);
  EXPECT_THAT(audit_.records[0].from, StartsWith("127.0.0.1:"));
  EXPECT_EQ(audit_.records[0].by, "http");
  branches_.answer("action 01", Outcome::success);
}

TEST_F(Audited, EveryActionOfOperatorsHasRecordsOverBothFrontEnds) {
  get("/api/dtmsvr/resetCronTime?timeout=5&limit=3&token=hidden&reason=night");
  post("resetNextCronTime", R"({"gid":"nobody"})");
  get("/api/dtmsvr/subscribe?topic=t&url=http://b/u&remark=r");
  get("/api/dtmsvr/unsubscribe?topic=t&url=http://b/u");
  http("DELETE", "/api/dtmsvr/topic/a%20b");
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("u");
  topic.set_url("localhost:1/busi.Busi/A");
  grpc("Subscribe", topic);
  grpc("Unsubscribe", topic);
  grpc("DeleteTopic", topic);
  std::vector<std::string> begun;
  for (const AuditRecord& record : audit_.records) {
    if (record.event != AuditRecord::Event::begun) continue;
    begun.push_back(record.by + " " + record.action + " " + record.gid + record.topic);
  }
  EXPECT_THAT(begun, ElementsAre("http resetCronTime ", "http resetNextCronTime nobody",
                                 "http subscribe t", "http unsubscribe t", "http deleteTopic a b",
                                 "grpc subscribe u", "grpc unsubscribe u", "grpc deleteTopic u"));
  EXPECT_EQ(audit_.records.size(), 2 * begun.size());
  EXPECT_EQ(audit_.records[0].details, "timeout 5, limit 3");
  EXPECT_EQ(audit_.records[0].reason, "night");
  EXPECT_THAT(audit_.records[1].result, HasSubstr(R"("succeed_count":0)"));
  EXPECT_EQ(audit_.records[4].details, "url http://b/u, remark r");
}

TEST_F(Audited, ARecordHasWhatTheActionReadsAndNothingElse) {
  const std::string other = R"({"gid":"other"})";
  http("DELETE", "/api/dtmsvr/topic/a?topic=other&url=other", other);
  http("POST", "/api/dtmsvr/subscribe?topic=a&url=http://b/u&limit=7", other);
  http("POST", "/api/dtmsvr/resetCronTime?topic=other&limit=1", other);
  http("POST", "/api/dtmsvr/forceStop?topic=other&limit=7", R"({"gid":"g"})");
  std::vector<std::string> begun;
  for (const AuditRecord& record : audit_.records) {
    if (record.event != AuditRecord::Event::begun) continue;
    begun.push_back(record.action + " " + record.gid + "/" + record.topic + "/" + record.details);
  }
  EXPECT_THAT(begun, ElementsAre("deleteTopic /a/", "subscribe /a/url http://b/u",
                                 "resetCronTime //limit 1", "forceStop g//"));
}

/// A value for a member of a request, and how a record shows it.
std::pair<std::string, std::string> value_for(const std::string& name) {
  if (name == "limit") return {"7", "limit 7"};
  if (name == "dryRun") return {"true", "dryRun true"};
  if (name == "full" || name == "verify") return {"true", name};
  if (name.starts_with("payload")) return {R"("secret")", name + " of 6 bytes"};
  if (name == "select") return {R"({"target":"b.org"})", "select.target b.org"};
  if (name == "gids") return {R"(["g1","g2"])", "2 gids: g1, g2"};
  return {"\"a text\"", name + " a text"};
}

/// The names of the members that the request of a route may have.
std::vector<std::string> members_of(const boost::json::value& document,
                                    const boost::json::value& operation) {
  const boost::json::value* schema =
      &operation.at("requestBody").at("content").at("application/json").at("schema");
  if (const auto* const reference = schema->as_object().if_contains("$ref")) {
    constexpr std::string_view before = "#/components/schemas/";
    const std::string name(reference->as_string().subview(before.size()));
    schema = &document.at("components").at("schemas").at(name);
  }
  std::vector<std::string> names;
  for (const auto& member : schema->at("properties").as_object()) names.emplace_back(member.key());
  return names;
}

TEST(AuditedBody, EveryMemberOfEveryActionIsInItsRecord) {
  const boost::json::value document =
      boost::json::parse({openapi_document.data(), openapi_document.size()});
  std::size_t checked = 0;
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    constexpr std::string_view own = "/api/concerto/";
    const auto* const operation = methods.as_object().if_contains("post");
    if (!path.starts_with(own) || operation == nullptr) continue;
    const std::string action(path.substr(own.size()));
    for (const std::string& name : members_of(document, *operation)) {
      const auto [value, shown] = value_for(name);
      HttpRequest request;
      request.path = path;
      request.body = "{\"" + name + "\":" + value + "}";
      const RouteNeeds needs{RouteDeed::operates, RouteRole::operators, RouteBrowser::own_pages,
                             action};
      const AuditRecord record = record_of(needs, request, RequestContext{}, {});
      ++checked;
      const std::string where = action + " " + name;
      EXPECT_EQ(record.gid, name == "gid" ? "a text" : "") << where;
      EXPECT_EQ(record.reason, name == "reason" ? "a text" : "") << where;
      EXPECT_EQ(record.gids.size(), name == "gids" ? 2U : 0U) << where;
      EXPECT_EQ(record.details, name == "gid" || name == "reason" ? "" : shown) << where;
    }
  }
  EXPECT_GT(checked, 40U);
}

TEST_F(Audited, AnotherMethodOnAnOperatorsPathIsAnAttempt) {
  EXPECT_EQ(http("PUT", "/api/dtmsvr/forceStop?topic=other", R"({"gid":"g"})").status, 404U);
  EXPECT_EQ(http("DELETE", "/api/dtmsvr/subscribe/?topic=t").status, 404U);
  EXPECT_EQ(http("POST", "/api/dtmsvr/topic/a").status, 404U);
  EXPECT_EQ(http("PUT", "/api/dtmsvr/submit", R"({"gid":"g"})").status, 404U);
  EXPECT_EQ(get("/api/dtmsvr/unknown").status, 404U);
  ASSERT_THAT(audit_.told(), ElementsAre("1 refused forceStop g: 404", "2 refused subscribe t: 404",
                                         "3 refused deleteTopic a: 404"));
  EXPECT_EQ(audit_.records[0].details, "method PUT");
}

TEST_F(Audited, ExtraSlashesDoNotHideTheRoute) {
  EXPECT_EQ(post("forceStop/", R"({"gid":"g"})").status, 307U);
  EXPECT_EQ(http("DELETE", "/api/dtmsvr/topic//a").status, 500U) << "there is no topic /a";
  EXPECT_EQ(post("/forceStop", R"({"gid":"g"})").status, 404U) << "this leads nowhere";
  EXPECT_THAT(audit_.told(), ElementsAre("1 begun deleteTopic /a: ",
                                         "1 failed deleteTopic /a: 500, storage: NotFound"))
      << "a redirect begins nothing";
}

TEST_F(Audited, RequestsOfApplicationsHaveNone) {
  post("submit", json_request("g", "saga", 1));
  get("/api/dtmsvr/query?gid=g");
  EXPECT_THAT(audit_.told(), IsEmpty());
}

TEST_F(Audited, WithoutItsRecordAnActionIsRefused) {
  branches_.hold("action 01");
  post("submit", json_request("g", "saga", 1));
  audit_.is_full = true;
  const HttpAnswer refused = post("forceStop", R"({"gid":"g"})");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_THAT(refused.body, HasSubstr("the disk of the audit log is full"));
  EXPECT_EQ(status_of("g"), "submitted");
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("t");
  topic.set_url("localhost:1/busi.Busi/A");
  EXPECT_EQ(grpc("Subscribe", topic).status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(get("/api/dtmsvr/queryKV?cat=topics&key=t").body, R"({"kv":[]})");
  branches_.answer("action 01", Outcome::success);
}

TEST_F(Audited, ThePageOfTheLogIsAsked) {
  const HttpAnswer page =
      get("/api/concerto/audit?gid=g&caller=me&action=forceStop&position=p&limit=2");
  EXPECT_EQ(page.body, R"({"kept":true,"records":[{"id":"2"},{"id":"1"}],"next_position":"7-1"})");
  ASSERT_TRUE(audit_.asked);
  EXPECT_EQ(audit_.asked->gid + audit_.asked->caller + audit_.asked->action +
                audit_.asked->position + std::to_string(audit_.asked->limit),
            "gmeforceStopp2");
  EXPECT_TRUE(audit_.asked->tells_local);
}

Task<HttpResponse> broken_action() {
  throw std::runtime_error("cut off");
  co_return HttpResponse{};
}

TEST(AuditedAction, HasItsSecondRecordWhenAnExceptionEndsIt) {
  asio::io_context io{1};
  RecordedAudit audit;
  AuditRecord record;
  record.action = "forceStop";
  EXPECT_THROW(concerto::test::await_result(io, audited(audit, record, broken_action())),
               std::runtime_error);
  EXPECT_THAT(audit.told(), ElementsAre("1 begun forceStop : ",
                                        StartsWith("1 failed forceStop : it was cut off")));
}

TEST_F(HttpApiTest, WithoutAnAuditLogItsPageSaysSo) {
  EXPECT_EQ(get("/api/concerto/audit").body, R"({"kept":false,"records":[],"next_position":""})");
}

/// Clients without the role of operators.
class AuditedClients : public Audited {
 protected:
  AuditedClients() : Audited(RoleSet{RouteRole::clients}) {}
};

TEST_F(AuditedClients, RefusedAttemptsHaveARecord) {
  EXPECT_EQ(post("forceStop", R"({"gid":"g"})").status, 403U);
  EXPECT_EQ(post("forceStop/", R"({"gid":"h"})").status, 403U);
  dtmgimp::DtmTopicRequest topic;
  topic.set_topic("t");
  EXPECT_EQ(grpc("DeleteTopic", topic).status.code, GrpcCode::permission_denied);
  EXPECT_THAT(audit_.told(),
              ElementsAre("1 refused forceStop g: 403, this request is for operators only",
                          "2 refused forceStop h: 403, this request is for operators only",
                          "3 refused deleteTopic t: 7, this request is for operators only"));
}

TEST(AuditedStranger, IsNotReadWhoeverElseRefusesIt) {
  constexpr RouteNeeds stop{RouteDeed::operates, RouteRole::operators, RouteBrowser::own_pages,
                            "forceStop"};
  HttpRequest request;
  request.body = R"({"gid":"g"})";
  std::optional<Refusal> refusal = Refusal{Refusal::Kind::forbidden, "a page of another site"};
  EXPECT_EQ(record_of(stop, request, {}, refusal).gid, "g");
  refusal->before_caller = true;
  EXPECT_EQ(record_of(stop, request, {}, refusal).gid, "");
}

/// Those who may look.
class AuditedViewers : public Audited {
 protected:
  AuditedViewers() : Audited(RoleSet{RouteRole::viewers}) {}
};

TEST_F(AuditedViewers, AreNotToldTheWordsOfLocalActions) {
  EXPECT_EQ(get("/api/concerto/audit").status, 200U);
  ASSERT_TRUE(audit_.asked);
  EXPECT_FALSE(audit_.asked->tells_local);
}

}  // namespace
}  // namespace concerto::net::test
