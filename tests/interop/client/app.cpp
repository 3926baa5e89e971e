// Makes one transaction through concerto::client, as its JSON describes. The command line, the JSON
// and what is printed are those of ../gosdk/app, so that the same tests use both.

#include "app.hpp"

#include <cstdio>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <concerto/client/blocking.hpp>

namespace concerto::client {
namespace json = boost::json;

std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? json::value_to<std::string>(*value) : std::string{};
}

static std::int64_t number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? value->to_number<std::int64_t>() : 0;
}

TransOptions options_of(const json::object& transaction) {
  TransOptions options;
  const json::value* given = transaction.if_contains("options");
  if (!given) return options;
  const json::object& from = given->as_object();
  const json::value* waits = from.if_contains("wait_result");
  options.wait_result = waits && waits->as_bool();
  const json::value* concurrent = from.if_contains("concurrent");
  options.concurrent = concurrent && concurrent->as_bool();
  options.timeout_to_fail = std::chrono::seconds(number(from, "timeout_to_fail"));
  options.request_timeout = std::chrono::seconds(number(from, "request_timeout"));
  options.retry_interval = std::chrono::seconds(number(from, "retry_interval"));
  options.retry_limit = number(from, "retry_limit");
  if (const json::value* headers = from.if_contains("branch_headers")) {
    options.branch_headers = json::value_to<std::map<std::string, std::string>>(*headers);
  }
  return options;
}

std::string payload(std::string_view wire, const json::object& branch) {
  const std::string name = text(branch, "name");
  if (wire != "grpc") return R"({"name":")" + name + R"("})";
  return std::string{"\n"} + static_cast<char>(name.size()) + name;
}

void print_result(std::string line) {
  for (char& character : line) character = character == '\n' ? ' ' : character;
  std::printf("result: %s\n", line.c_str());
  std::fflush(stdout);
}

namespace {

Async<> do_work(std::string kind) {
  if (kind == "stop") {  // until the test kills the program
    std::puts("stopped");
    std::fflush(stdout);
    ::pause();
  }
  if (kind == "failure") co_return failure("no money FAILURE");
  if (kind == "error") co_return make_error(ClientErrc::unknown_outcome, "was it committed?");
  co_return ok();
}

Async<> call_branches(Tcc& tcc, const Arguments& arguments) {
  for (const json::value& each : arguments.transaction.at("branches").as_array()) {
    const json::object& branch = each.as_object();
    std::string body = payload(arguments.wire, branch);
    std::string try_url = text(branch, "try");
    std::string confirm = text(branch, "confirm");
    std::string cancel = text(branch, "cancel");
    CONCERTO_CO_CHECK(co_await tcc.call_branch(std::move(body), std::move(try_url),
                                               std::move(confirm), std::move(cancel)));
  }
  std::string work = text(arguments.transaction, "work");
  co_return co_await do_work(std::move(work));
}

Async<> call_branches(Xa& xa, const Arguments& arguments) {
  for (const json::value& each : arguments.transaction.at("branches").as_array()) {
    const json::object& branch = each.as_object();
    std::string body = payload(arguments.wire, branch);
    std::string action = text(branch, "action");
    CONCERTO_CO_CHECK(co_await xa.call_branch(std::move(body), std::move(action)));
  }
  std::string work = text(arguments.transaction, "work");
  co_return co_await do_work(std::move(work));
}

Result<> saga(blocking::Client& client, const Arguments& arguments) {
  Saga saga = client->saga(text(arguments.transaction, "gid"));
  saga.options = options_of(arguments.transaction);
  for (const json::value& each : arguments.transaction.at("branches").as_array()) {
    const json::object& branch = each.as_object();
    saga.add(text(branch, "action"), text(branch, "compensate"), payload(arguments.wire, branch));
  }
  if (const json::value* orders = arguments.transaction.if_contains("orders")) {
    for (const auto& [step, earlier] : orders->as_object()) {
      saga.add_branch_order(std::stoul(std::string{step}),
                            json::value_to<std::vector<std::size_t>>(earlier));
    }
  }
  return client.wait(saga.submit());
}

Result<> tcc(blocking::Client& client, const Arguments& arguments) {
  Tcc tcc = client->tcc(text(arguments.transaction, "gid"));
  tcc.options = options_of(arguments.transaction);
  return client.wait(
      tcc.run([&arguments](Tcc& running) { return call_branches(running, arguments); }));
}

Result<> xa(blocking::Client& client, const Arguments& arguments) {
  Xa xa = client->xa(text(arguments.transaction, "gid"));
  xa.options = options_of(arguments.transaction);
  return client.wait(
      xa.run([&arguments](Xa& running) { return call_branches(running, arguments); }));
}

Result<> msg(blocking::Client& client, const Arguments& arguments) {
  Msg msg = client->msg(text(arguments.transaction, "gid"));
  msg.options = options_of(arguments.transaction);
  msg.delay(std::chrono::seconds(number(arguments.transaction, "delay")));
  for (const json::value& each : arguments.transaction.at("branches").as_array()) {
    const json::object& branch = each.as_object();
    if (branch.contains("topic")) {
      msg.add_topic(text(branch, "topic"), payload(arguments.wire, branch));
    } else {
      msg.add(text(branch, "action"), payload(arguments.wire, branch));
    }
  }
  const std::string query = text(arguments.transaction, "query");
  if (query.empty()) return client.wait(msg.submit());
  const std::string work = text(arguments.transaction, "work");
  return client.wait(msg.do_and_submit(query, [&work] { return do_work(work); }));
}

/// `client_timeout`, in seconds, is ours: the SDK has none.
ClientOptions client_options(const json::object& transaction) {
  ClientOptions options;
  const std::int64_t timeout = number(transaction, "client_timeout");
  if (timeout > 0) options.timeout = std::chrono::seconds(timeout);
  return options;
}

Result<> run(Arguments arguments) {
  blocking::Client client{arguments.coordinator, client_options(arguments.transaction)};
  if (text(arguments.transaction, "gid").empty()) {
    const Result<std::string> gid = client.wait(client->new_gid());
    if (!gid) return gid.error();
    arguments.transaction["gid"] = *gid;
  }
  const std::string mode = text(arguments.transaction, "mode");
  if (mode == "saga") return saga(client, arguments);
  if (mode == "tcc") return tcc(client, arguments);
  if (mode == "msg") return msg(client, arguments);
  if (mode == "xa") return xa(client, arguments);
  return make_error(ClientErrc::not_sendable, "unknown mode " + mode);
}

Arguments read(int count, char** values) {
  Arguments arguments;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = values[at];
    if (name == "-wire") arguments.wire = values[at + 1];
    if (name == "-listen") arguments.listen = values[at + 1];
    if (name == "-dtm") arguments.coordinator = values[at + 1];
    if (name == "-transaction") arguments.transaction = json::parse(values[at + 1]).as_object();
  }
  return arguments;
}

}  // namespace
}  // namespace concerto::client

int main(int count, char** values) {
  const auto arguments = concerto::client::read(count, values);
  if (!arguments.listen.empty()) {
    concerto::client::run_workflows(arguments);
  } else {
    const auto result = concerto::client::run(arguments);
    concerto::client::print_result(result ? "ok" : result.error().detail);
  }
}
