// Who may use which method over which front end: a table of its own, so that no change of the
// code's table goes unseen.

#include <map>

#include <gmock/gmock.h>

#include <concerto/base/base64.hpp>
#include <concerto/protocol/authenticator.hpp>

#include "access/callers_file.hpp"
#include "api_fixture.hpp"
#include "fake_clock.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Those who ask. Each has a letter in the table: `-` has no token, `x` a wrong one, and the others
/// have the token of a client, a viewer and an operator.
constexpr std::string_view askers = "-xcvo";

struct Allowed {
  std::string_view path;
  std::string_view methods;
  std::string_view rpc;
  std::string_view grpc;
  std::string_view who;
};

constexpr Allowed table[] = {
    {"/api/dtmsvr/version", "GET", "", "", "cvo"},
    {"/api/dtmsvr/newGid", "GET", "newGid", "NewGid", "co"},
    {"/api/dtmsvr/prepare", "POST", "prepare", "Prepare", "co"},
    {"/api/dtmsvr/submit", "POST", "submit", "Submit", "co"},
    {"/api/dtmsvr/abort", "POST", "abort", "Abort", "co"},
    {"/api/dtmsvr/registerBranch", "POST", "registerBranch", "RegisterBranch", "co"},
    {"/api/dtmsvr/registerXaBranch", "POST", "", "", "co"},
    {"/api/dtmsvr/registerTccBranch", "POST", "", "", "co"},
    {"/api/dtmsvr/prepareWorkflow", "POST", "", "PrepareWorkflow", "co"},
    {"/api/dtmsvr/forceStop", "POST", "", "", "o"},
    {"/api/dtmsvr/resetNextCronTime", "POST", "", "", "o"},
    {"/api/dtmsvr/resetCronTime", "GET POST", "", "", "o"},
    {"/api/dtmsvr/subscribe", "GET POST", "", "Subscribe", "o"},
    {"/api/dtmsvr/unsubscribe", "GET POST", "", "Unsubscribe", "o"},
    {"/api/dtmsvr/topic/*", "DELETE", "", "DeleteTopic", "o"},
    {"/api/dtmsvr/query", "GET", "", "", "cvo"},
    {"/api/dtmsvr/all", "GET", "", "", "vo"},
    {"/api/dtmsvr/queryKV", "GET", "", "", "vo"},
    {"/api/dtmsvr/scanKV", "GET", "", "", "vo"},
    {"/api/concerto/why", "GET", "", "", "cvo"},
    {"/api/concerto/audit", "GET", "", "", "vo"},
    {"/api/concerto/begin", "POST", "", "", "o"},
    {"/api/concerto/count", "GET", "", "", "vo"},
    {"/api/concerto/damaged", "GET", "", "", "vo"},
    {"/api/concerto/retry", "POST", "", "", "o"},
    {"/api/concerto/stop", "POST", "", "", "o"},
    {"/api/concerto/skip", "POST", "", "", "o"},
    {"/api/concerto/edit", "POST", "", "", "o"},
    {"/api/concerto/jobs", "GET", "", "", "vo"},
    {"/api/concerto/cancelJob", "POST", "", "", "o"},
    {"/api/concerto/pauses", "GET", "", "", "vo"},
    {"/api/concerto/pause", "POST", "", "", "o"},
    {"/api/concerto/resume", "POST", "", "", "o"},
    {"/api/json-rpc", "POST", "", "", "co"},
    {"/api/openapi.json", "GET", "", "", "cvo"},
    {"/api/ping", "*", "", "", "-xcvo"},
};

std::string token_of(char asker) {
  return asker == '-' ? std::string{} : "token-" + std::string(1, asker);
}

/// A line of the file of callers.
std::string line(const std::string& name, const std::string& role) {
  std::string hash;
  for (const std::uint8_t byte : sha256_of(token_of(role[0]))) {
    hash += "0123456789abcdef"[byte >> 4U];
    hash += "0123456789abcdef"[byte & 15U];
  }
  return name + " " + role + " sha256:" + hash + "\n";
}

std::shared_ptr<const AccessRules> rules() {
  AccessTexts texts;
  texts.callers = line("shop", "client") + line("vera", "viewer") + line("otto", "operator");
  return AccessRules::read(texts, {}).value();
}

/// What an Authenticator needs. A base of the fixture, because the gate is made with it.
struct AccessParts {
  concerto::test::FakeClock token_clock;
  std::vector<std::string> lines;
  CallerNames names{[this](const std::string& text) { lines.push_back(text); }};
  WrongTokens wrong{token_clock, [this](const std::string& text) { lines.push_back(text); }};
  RightTokens right{{1, 2}};
  Authenticator authenticator{rules(), names, wrong, right, token_clock};

  GateOptions gate_options() {
    GateOptions options;
    options.authenticator = &authenticator;
    return options;
  }
};

class AccessTable : protected AccessParts, public ApiTest {
 protected:
  AccessTable() : ApiTest({}, gate_options()) {}

  /// Those whose request is let in. `ask` says whether one is, and checks the refusal of others.
  template <class Ask>
  std::string let_in(Ask ask) {
    std::string who;
    for (const char asker : askers) {
      token_ = token_of(asker);
      if (ask(is_known(asker))) who += asker;
      token_clock.advance(WrongTokens::pause);
    }
    token_.clear();
    return who;
  }

  bool over_http(std::string_view method, std::string_view path, bool known) {
    std::string target{path};
    if (target.ends_with('*')) target.replace(target.size() - 1, 1, "t");
    const HttpAnswer answer = http(method, target, method == "GET" ? "" : "{}");
    if (answer.status != 401 && answer.status != 403) return true;
    EXPECT_EQ(answer.status, known ? 403U : 401U) << method << " " << path << answer.body;
    EXPECT_EQ(
        answer.head.find("\r\nWWW-Authenticate: Bearer realm=\"concerto\"") != std::string::npos,
        !known);
    EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("token-")));
    return false;
  }

  bool over_grpc(std::string_view method, bool known) {
    const GrpcStatus status = await(grpc_call(method, "")).status;
    const bool refused =
        status.code == GrpcCode::unauthenticated || status.code == GrpcCode::permission_denied;
    EXPECT_TRUE(!refused || (status.code == GrpcCode::permission_denied) == known) << method;
    return !refused;
  }

  static bool is_known(char asker) { return asker != '-' && asker != 'x'; }
};

TEST_F(AccessTable, IsThatOfTheCode) {
  std::map<std::string_view, Allowed> rows;
  for (const Allowed& row : table) rows[row.path] = row;
  for (const Route& route : RouteTable::standard().rows()) {
    const Allowed& row = rows[route.path];
    EXPECT_EQ(row.methods, route.methods) << route.path << " needs a row in this test";
    EXPECT_EQ(row.rpc, route.rpc) << route.path;
    EXPECT_EQ(row.grpc, route.grpc) << route.path;
  }
  EXPECT_EQ(rows.size(), RouteTable::standard().rows().size());
}

TEST_F(AccessTable, HoldsOverHttp) {
  for (const Allowed& row : table) {
    std::string methods{row.methods == "*" ? "GET PUT" : row.methods};
    if (row.methods == "GET") methods += " HEAD";
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE"}) {
      if (methods.find(method) == std::string::npos) continue;
      EXPECT_EQ(let_in([&](bool known) { return over_http(method, row.path, known); }), row.who)
          << method << " " << row.path;
    }
  }
}

TEST_F(AccessTable, HoldsOverGrpc) {
  for (const Allowed& row : table) {
    if (row.grpc.empty()) continue;
    EXPECT_EQ(let_in([&](bool known) { return over_grpc(row.grpc, known); }), row.who) << row.grpc;
  }
}

TEST_F(AccessTable, HoldsOverJsonRpc) {
  for (const Allowed& row : table) {
    if (row.rpc.empty()) continue;
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"params":{},"method":")" + std::string{row.rpc} + "\"}";
    const auto ask = [&](bool known) {
      const HttpAnswer answer = http("POST", "/api/json-rpc", body);
      EXPECT_EQ(answer.status, answer.status == 200 ? 200U : known ? 403U : 401U) << answer.body;
      return answer.status == 200;
    };
    EXPECT_EQ(let_in(ask), row.who) << row.rpc;
  }
}

TEST_F(AccessTable, HoldsForBatchesOfJsonRpc) {
  const std::string batch = R"([{"jsonrpc":"2.0","id":1,"method":"newGid"}])";
  EXPECT_EQ(http("POST", "/api/json-rpc", batch).status, 401U);
  token_ = token_of('v');
  EXPECT_EQ(http("POST", "/api/json-rpc", batch).status, 403U);
  token_ = token_of('c');
  EXPECT_EQ(http("POST", "/api/json-rpc", batch).status, 400U) << "this server has no batches";
}

TEST_F(AccessTable, RefusesBeforeAnythingIsStored) {
  EXPECT_EQ(post("submit", json_request("g", "saga", 1)).status, 401U);
  EXPECT_EQ(post("submit/", "").status, 401U) << "the redirect, too";
  EXPECT_EQ(grpc("Submit", dtm_request("g", "saga", 1)).status.code, GrpcCode::unauthenticated);
  token_ = token_of('v');
  EXPECT_EQ(post("submit", json_request("g", "saga", 1)).status, 403U);
  EXPECT_EQ(store_.commits(), 0U);
  token_ = token_of('c');
  EXPECT_EQ(post("submit", json_request("g", "saga", 1)).status, 200U);
  EXPECT_EQ(grpc("Submit", dtm_request("g2", "saga", 1)).status.code, GrpcCode::ok);
}

TEST_F(AccessTable, HealthIsOpen) {
  GrpcMetadata metadata;
  EXPECT_TRUE(await(channel_->unary("/grpc.health.v1.Health/Check", "", std::move(metadata),
                                    SteadyTime::max()))
                  .ok());
  EXPECT_EQ(get("/nowhere").status, 404U);
}

Task<GrpcCode> reflect(GrpcChannel& channel, std::string token) {
  GrpcMetadata metadata;
  if (!token.empty()) metadata.add("authorization", "bearer " + token);
  const auto stream =
      channel.open_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                          std::move(metadata), SteadyTime::max());
  co_await stream->write("\x3a\x01*");
  stream->writes_done();
  co_await stream->read();
  const GrpcReply end = co_await stream->finish();
  co_return end.status.code;
}

TEST_F(AccessTable, ReflectionIsForViewers) {
  EXPECT_EQ(await(reflect(*channel_, "")), GrpcCode::unauthenticated);
  EXPECT_EQ(await(reflect(*channel_, token_of('x'))), GrpcCode::unauthenticated);
  EXPECT_EQ(await(reflect(*channel_, token_of('c'))), GrpcCode::permission_denied);
  EXPECT_EQ(await(reflect(*channel_, token_of('v'))), GrpcCode::ok);
  EXPECT_EQ(await(reflect(*channel_, token_of('o'))), GrpcCode::ok);
}

TEST_F(AccessTable, ReflectionCanBeAbsent) {
  GrpcServer server(executor(), timers_);
  GrpcApiOptions options;
  options.reflection.reset();
  GrpcApi api(executor(), coordinator_, gate_, random_, clock_, RouteTable::standard(), options);
  api.register_on(server);
  Listener listener(executor(), timers_, {&server});
  ASSERT_TRUE(listener.listen(loopback()));
  StaticAddresses addresses{std::vector<Address>{listener.address()}};
  GrpcChannel channel(executor(), timers_, random_, addresses, {});
  EXPECT_EQ(await(reflect(channel, token_of('o'))), GrpcCode::unimplemented);
  channel.close();
  listener.close();
  await(server.drain(timers_.now()));
}

TEST_F(AccessTable, ACertificateIsAsGoodAsAToken) {
  AccessTexts texts;
  texts.callers = "ops viewer cn:ops\n";
  authenticator.set_rules(AccessRules::read(texts, {}).value());
  PeerCertificate certificate;
  certificate.common_name = "ops";
  const RouteNeeds look{RouteDeed::reads, RouteRole::viewers, RouteBrowser::any_page};
  RequestContext context;
  EXPECT_TRUE(gate_.refuse_grpc(look, context, {}));
  EXPECT_FALSE(context.caller.is_known());
  EXPECT_FALSE(gate_.refuse_grpc(look, context, {}, &certificate));
  EXPECT_FALSE(gate_.refuse_rpc(look, context, {}, &certificate));
  EXPECT_EQ(context.caller.name(), "ops");
  HttpRequest request;
  EXPECT_TRUE(gate_.refuse_http(look, context, request));
  request.certificate = std::make_shared<const PeerCertificate>(certificate);
  EXPECT_FALSE(gate_.refuse_http(look, context, request));
  for (const char* field : {"Bearer", "Bearer\tjunk", "Basic junk", "Digest junk", ""}) {
    HttpRequest passed_on = request;
    passed_on.headers.add("Authorization", field);
    EXPECT_EQ(gate_.refuse_http(look, context, passed_on)->kind, Refusal::Kind::wrong_token);
  }
  const RouteNeeds stop{RouteDeed::operates, RouteRole::operators, RouteBrowser::own_pages};
  EXPECT_EQ(gate_.refuse_grpc(stop, context, {}, &certificate)->kind, Refusal::Kind::forbidden);
}

TEST_F(AccessTable, ThePasswordOfAUserIsAToken) {
  RawPeer& peer = connect_http();
  peer.send(
      "GET /api/dtmsvr/all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Authorization: basic " +
      base64_encode("otto:token-o") + "\r\n\r\n");
  run_until([&] { return peer.saw_end(); });
  EXPECT_EQ(parse_answer(peer.received()).status, 200U);
}

TEST_F(AccessTable, OtherSchemesAreNoToken) {
  for (const char* field :
       {"Basic dG9rZW4tbw==", "Basic :token-o", "Digest token-o", "Bearer", "Bearer ", "token-o"}) {
    RawPeer& peer = connect_http();
    peer.send(
        "GET /api/dtmsvr/all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Authorization: " +
        std::string{field} + "\r\n\r\n");
    run_until([&] { return peer.saw_end(); });
    EXPECT_EQ(parse_answer(peer.received()).status, 401U) << field;
  }
  EXPECT_EQ(wrong.count(), 0U);
}

TEST_F(AccessTable, GuessesAreRefusedUnread) {
  token_ = token_of('x');
  for (unsigned i = 0; i < WrongTokens::burst; ++i) {
    EXPECT_EQ(get("/api/dtmsvr/all").status, 401U);
  }
  const HttpAnswer answer = get("/api/dtmsvr/all");
  EXPECT_EQ(answer.status, 429U);
  EXPECT_THAT(answer.head, HasSubstr("\r\nRetry-After: 3\r\n"));
  EXPECT_EQ(await(grpc_call("NewGid", "")).status.code, GrpcCode::resource_exhausted);
  EXPECT_EQ(get("/api/ping").status, 200U) << "probes are open";
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], Not(HasSubstr("token-")));
}

TEST_F(AccessTable, OnlyOperatorsSeeCredentialsInHeadersOfBranches) {
  token_ = token_of('c');
  branches_.hold("action 01");
  const std::string headers =
      R"(,"branch_headers":{"authorization":"hush-1","Cookie":"hush-2","X-Api-Key":"hush-3",)"
      R"("X-Amz-Security-Token":"hush-4","Proxy-Authorization":"hush-5","X-Tenant":"shown"})";
  EXPECT_EQ(post("submit", json_request("g", "saga", 1, headers)).status, 200U);
  const auto answers = [this](char asker) {
    token_ = token_of(asker);
    std::string all = get("/api/dtmsvr/query?gid=g").body;
    if (asker == 'c') return all;
    return all + get("/api/dtmsvr/all").body + get("/api/dtmsvr/all?gid=g").body;
  };
  for (const char asker : {'c', 'v'}) {
    const std::string seen = answers(asker);
    EXPECT_THAT(seen, Not(HasSubstr("hush"))) << asker;
    EXPECT_THAT(seen, HasSubstr("shown")) << asker;
    EXPECT_THAT(seen, HasSubstr("***")) << asker;
  }
  for (const char* each : {"hush-1", "hush-2", "hush-3", "hush-4", "hush-5"}) {
    EXPECT_THAT(answers('o'), HasSubstr(each));
  }
  branches_.release_all();
}

TEST_F(AccessTable, AWorkflowThatIsPreparedAgainShowsNoCredentials) {
  token_ = token_of('c');
  const std::string body = R"({"gid":"w","trans_type":"workflow","query_prepared":"http://b/q",)"
                           R"("custom_data":"{\"name\":\"n\",\"data\":\"\"}",)"
                           R"("branch_headers":{"Authorization":"hush"}})";
  EXPECT_EQ(post("prepareWorkflow", body).status, 200U);
  const HttpAnswer again = post("prepareWorkflow", body);
  EXPECT_EQ(again.status, 200U);
  EXPECT_THAT(again.body, HasSubstr("***"));
  EXPECT_THAT(again.body, Not(HasSubstr("hush")));
}

TEST_F(AccessTable, TheLogHasTheNameOfTheCaller) {
  token_ = token_of('c');
  branches_.hold("action 01");
  post("submit", json_request("g", "saga", 1));
  token_ = token_of('o');
  post("forceStop", R"({"gid":"g"})");
  EXPECT_THAT(observer_.lines, testing::Contains(HasSubstr("asked by otto at 127.0.0.1:")));
  branches_.release_all();
}

}  // namespace
}  // namespace concerto::net::test
