#include "api_fixture.hpp"

#include <concerto/protocol/odd_wordings.hpp>

namespace concerto::net::test {
namespace {

constexpr std::size_t clients_bytes_max = 64u << 20;

GrpcChannelOptions client_options() {
  GrpcChannelOptions options;
  options.message_bytes_max = clients_bytes_max;
  return options;
}

CoordinatorOptions with_odd_wordings(CoordinatorOptions options) {
  options.wording = odd_wordings;
  return options;
}

std::string step_json(const std::string& type, int number) {
  const std::string n = std::to_string(number);
  std::string text = R"({"action":"a)" + n + R"(")";
  if (type == "saga") text += R"(,"compensate":"c)" + n + R"(")";
  return text + "}";
}

std::string steps_json(const std::string& type, int steps) {
  std::string text = "[";
  for (int number = 1; number <= steps; ++number) {
    if (number > 1) text += ",";
    text += step_json(type, number);
  }
  return text + "]";
}

}  // namespace

HttpAnswer parse_answer(const std::string& received) {
  HttpAnswer answer;
  const std::size_t head_end = received.find("\r\n\r\n");
  if (!received.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return answer;
  answer.status = static_cast<unsigned>(std::stoul(received.substr(9, 3)));
  answer.head = received.substr(0, head_end + 2);
  answer.body = received.substr(head_end + 4);
  return answer;
}

ApiTest::ApiTest(CoordinatorOptions options, GateOptions gate_options, const RouteTable& routes)
    : gate_(std::move(gate_options)),
      coordinator_({ShardPorts{executor(), timers_, branches_, random_, observer_}}, store_, clock_,
                   with_odd_wordings(options)),
      http_api_(coordinator_, gate_, random_, clock_, {.version = "v1.19.0"}, routes),
      http_server_(executor(), timers_, router_.handler()),
      http_listener_(executor(), timers_, {&http_server_}),
      grpc_api_(executor(), coordinator_, gate_, random_, clock_, routes),
      grpc_server_(executor(), timers_),
      grpc_listener_(executor(), timers_, {&grpc_server_}) {}

void ApiTest::SetUp() {
  http_api_.register_on(router_);
  grpc_api_.register_on(grpc_server_);
  ASSERT_TRUE(await(coordinator_.recover()));
  ASSERT_TRUE(http_listener_.listen(loopback()));
  ASSERT_TRUE(grpc_listener_.listen(loopback()));
  grpc_addresses_ =
      std::make_unique<StaticAddresses>(std::vector<Address>{grpc_listener_.address()});
  channel_ = std::make_unique<GrpcChannel>(executor(), timers_, random_, *grpc_addresses_,
                                           client_options());
}

void ApiTest::TearDown() {
  peers_.clear();
  http_listener_.close();
  grpc_listener_.close();
  branches_.release_all();
  await(coordinator_.stop(timers_.now()));
  await(http_server_.drain(timers_.now()));
  await(grpc_server_.drain(timers_.now()));
  if (channel_) channel_->close();
  poll();
}

RawPeer& ApiTest::connect_http() {
  peers_.push_back(std::make_unique<RawPeer>(executor()));
  peers_.back()->connect(http_listener_.address());
  return *peers_.back();
}

RawPeer& ApiTest::connect_grpc() {
  peers_.push_back(std::make_unique<RawPeer>(executor()));
  peers_.back()->connect(grpc_listener_.address());
  return *peers_.back();
}

HttpAnswer ApiTest::http(std::string_view method, std::string_view target, std::string_view body) {
  std::string request{method};
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (!token_.empty()) request.append("Authorization: Bearer " + token_ + "\r\n");
  request.append("Connection: close\r\nContent-Length: " + std::to_string(body.size()));
  request.append("\r\n\r\n").append(body);
  RawPeer& peer = connect_http();
  peer.send(request);
  run_until([&] { return peer.saw_end(); });
  return parse_answer(peer.received());
}

boost::json::value ApiTest::query(std::string_view gid) {
  const HttpAnswer answer = get("/api/dtmsvr/query?gid=" + std::string{gid});
  EXPECT_EQ(answer.status, 200U);
  return boost::json::parse(answer.body);
}

std::string ApiTest::status_of(std::string_view gid) {
  const boost::json::value answer = query(gid);
  const boost::json::value& trans = answer.at("transaction");
  return trans.is_null() ? "unknown" : trans.at("status").as_string().c_str();
}

GrpcReply ApiTest::grpc(std::string_view method, const google::protobuf::Message& message) {
  return await(grpc_call(method, message.SerializeAsString()));
}

Task<GrpcReply> ApiTest::grpc_call(std::string_view method, std::string message,
                                   SteadyTime deadline) {
  std::string path = "/dtmgimp.Dtm/";
  path.append(method);
  GrpcMetadata metadata;
  if (!token_.empty()) metadata.add("authorization", "Bearer " + token_);
  return channel_->unary(std::move(path), std::move(message), std::move(metadata), deadline);
}

void ApiTest::expect_untouched() {
  EXPECT_EQ(store_.commits(), 0U);
  EXPECT_EQ(get("/api/dtmsvr/all").body, R"({"transactions":[],"next_position":""})");
  EXPECT_TRUE(await(grpc_call("NewGid", "")).ok());
  EXPECT_TRUE(branches_.calls.empty());
}

dtmgimp::DtmRequest dtm_request(const std::string& gid, const std::string& type, int steps) {
  dtmgimp::DtmRequest request;
  request.set_gid(gid);
  request.set_transtype(type);
  request.set_steps(steps_json(type, steps));
  for (int number = 1; number <= steps; ++number) {
    request.add_binpayloads("payload " + std::to_string(number));
  }
  return request;
}

std::string json_request(const std::string& gid, const std::string& type, int steps,
                         const std::string& more_fields) {
  std::string payloads;
  for (int number = 1; number <= steps; ++number) {
    if (number > 1) payloads += ",";
    payloads += R"("payload )" + std::to_string(number) + R"(")";
  }
  return R"({"gid":")" + gid + R"(","trans_type":")" + type + R"(","steps":)" +
         steps_json(type, steps) + R"(,"payloads":[)" + payloads + "]" + more_fields + "}";
}

}  // namespace concerto::net::test
