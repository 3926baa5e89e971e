// What the bank asks of the coordinator.

#include "coordinator.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <concerto/client/blocking.hpp>

namespace client = concerto::client;
namespace json = boost::json;
using concerto::Async;
using concerto::Barrier;
using concerto::Result;

namespace {

std::string text(const json::value& object, const char* name) {
  return json::value_to<std::string>(object.at(name));
}

std::string url_of(const std::string& address) {
  return "http://" + address + "/bank";
}

std::string body_of(const json::value& branch) {
  return json::serialize(
      json::object{{"account", branch.at("account")}, {"amount", branch.at("amount")}});
}

Async<> in_a_coroutine(std::function<Result<>()> work) {
  co_return work();
}

Async<> call_banks(client::Xa& xa, const json::value& transaction) {
  for (const json::value& branch : transaction.at("branches").as_array()) {
    std::string url = url_of(text(branch, "at"));
    std::string body = body_of(branch);
    CONCERTO_CO_CHECK(co_await xa.call_branch(std::move(body), std::move(url)));
  }
  co_return concerto::ok();
}

/// Commits and rolls back, too, so it owns the order.
auto xa_step(Order order, const Xa& xa) {
  return [order = std::move(order), &xa](const client::WorkflowXa& asked) -> Result<> {
    CONCERTO_TRY(auto barrier, Barrier::from(asked.step));
    return xa(barrier, order, asked.record);
  };
}

Async<std::string> xa_steps(client::Workflow& workflow, std::string data, const Xa& xa) {
  const json::value branches = json::parse(data);
  for (const json::value& each : branches.as_array()) {
    const auto step = xa_step(order_of(each), xa);
    CONCERTO_CO_CHECK(co_await workflow.branch().xa(step));
  }
  co_return "done";
}

}  // namespace

Order order_of(const json::value& body) {
  Order order;
  order.account = text(body, "account");
  order.amount = body.at("amount").to_number<std::int64_t>();
  return order;
}

Result<> register_branch(const std::string& target, const Options& options) {
  CONCERTO_TRY(auto call, client::XaCall::from_query(target));
  client::blocking::Client client{options.at("-dtm-http")};
  return client.wait(client->register_branch(std::move(call)));
}

Result<> run_msg(const json::value& transaction, const std::string& coordinator,
                 std::function<Result<>()> work) {
  client::blocking::Client client{coordinator};
  client::Msg msg = client->msg(text(transaction, "gid"));
  msg.options.timeout_to_fail =
      std::chrono::seconds(transaction.at("timeout_to_fail").to_number<std::int64_t>());
  for (const json::value& branch : transaction.at("branches").as_array()) {
    msg.add(url_of(text(branch, "at")), body_of(branch));
  }
  return client.wait(msg.do_and_submit(url_of(text(transaction, "query_at")),
                                       [&work] { return in_a_coroutine(work); }));
}

Result<> run_xa(const json::value& transaction, const std::string& coordinator) {
  client::blocking::Client client{coordinator};
  client::Xa xa = client->xa(text(transaction, "gid"));
  return client.wait(xa.run([&](client::Xa& running) { return call_banks(running, transaction); }));
}

Result<> run_workflow(const json::value& transaction, const std::string& coordinator,
                      const Xa& xa) {
  client::blocking::Client client{coordinator};
  client::Workflows workflows = client->workflows("http://127.0.0.1:1/workflow");  // not resumed
  workflows.add("transfer", [&](client::Workflow& workflow, std::string data) {
    return xa_steps(workflow, std::move(data), xa);
  });
  const std::string data = json::serialize(transaction.at("branches"));
  const auto result = client.wait(workflows.execute("transfer", text(transaction, "gid"), data));
  return result ? concerto::ok() : Result<>{result.error()};
}
