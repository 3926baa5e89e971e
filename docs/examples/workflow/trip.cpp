#include "trip.hpp"

#include <csignal>
#include <cstdio>

using concerto::Async;
using concerto::Result;
namespace client = concerto::client;

namespace {

constexpr int price = 30;

}  // namespace

/// It runs from here again when the workflow is resumed.
Async<std::string> Trip::book(client::Workflow& workflow, std::string traveller) {
  client::WorkflowBranch payment = workflow.branch();
  payment.on_rollback([this](const client::WorkflowStep& step) { return give_back(step); });
  const auto pay_price = [this](const client::WorkflowStep& step) { return pay(step); };
  CONCERTO_CO_CHECK(co_await payment.run(pay_price));

  client::WorkflowBranch room = workflow.branch();
  const auto reserve = [](const client::WorkflowStep&) -> Result<std::string> {
    return client::failure("the hotel is full");
  };
  CONCERTO_CO_CHECK(co_await room.run(reserve));
  co_return traveller + " travels";
}

/// Called again after the crash, because the coordinator has no record of it. The barrier knows
/// that it is done.
Result<std::string> Trip::pay(const client::WorkflowStep& step) {
  CONCERTO_CHECK(wallet_.add(step, -price));
  std::printf("paid; there are %d left\n", wallet_.money());
  std::fflush(stdout);
  if (dies_) ::raise(SIGKILL);
  return std::string("paid");
}

Result<> Trip::give_back(const client::WorkflowStep& step) {
  CONCERTO_CHECK(wallet_.add(step, price));
  std::printf("the price was given back; there are %d\n", wallet_.money());
  return concerto::ok();
}
