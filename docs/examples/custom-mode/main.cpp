// A mode of your own, beside those of the protocol. Once a gift is submitted, all its steps are
// called at the same time, until all of them have succeeded: a gift cannot fail. docs/extending.md
// says what the fields of a mode mean.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/asio/io_context.hpp>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/persist/memory_store.hpp>

using namespace concerto;

namespace gift {

Result<> expand(TransRequest& request, Transaction& trans) {
  for (std::uint32_t i = 0; i < request.steps.size(); ++i) {
    Branch branch;
    branch.branch_id = BranchId{step_branch_id(i + 1)};
    branch.op = "give";
    branch.url = request.steps[i].action;
    branch.payload = i;
    trans.branches.push_back(std::move(branch));
  }
  return ok();
}

Next next(const TransView& view) {
  Next next;
  if (view.trans.status != TransStatus::submitted) return next;
  bool done = true;
  for (std::uint32_t i = 0; i < view.trans.branches.size(); ++i) {
    if (view.trans.branches[i].status == BranchStatus::succeed) continue;
    done = false;
    if (view.runs[i] == RunState::idle) next.calls.push_back(i);
  }
  if (done) next.change = StatusChange{TransStatus::succeed, {}};
  return next;
}

Effect effect(const Transaction&, const Branch&, Outcome outcome) {
  return outcome == Outcome::success ? Effect::succeed : Effect::retry_later;
}

constexpr Mode mode{
    .type = TransType{7},
    .name = "gift",
    .expand = expand,
    .next = next,
    .effect = effect,
};

}  // namespace gift

int main() {
  asio::io_context io{1};
  persist::MemoryStore store;
  int cents = 0;
  bool is_awake = false;
  LocalBranches friends;
  friends.add("Ben", [&](const LocalCall& call) { cents += std::stoi(std::string(call.payload)); });
  friends.add("Cem", [&](const LocalCall& call) {
    if (!is_awake) return Outcome::failure;  // For a gift this means: ask again.
    cents += std::stoi(std::string(call.payload));
    return Outcome::success;
  });
  const ModeTable modes{{&modes::saga, &gift::mode}};
  EmbeddedOptions options;
  options.modes = &modes;
  EmbeddedCoordinator coordinator{io, store, friends, options};

  TransRequest request;
  request.gid = Gid("birthday");
  request.trans_type = gift::mode.name;
  request.steps = {{"Ben", ""}, {"Cem", ""}};
  request.payloads = {"5", "7"};
  request.options.wait_result = true;
  bool was_given = false;
  coordinator.submit(request, [&](const Result<>& ended) {
    std::printf("first: %s\n", ended ? "given" : ended.error().detail.c_str());
    was_given = ended.has_value();
    is_awake = true;
    coordinator.retry_now(Gid("birthday"), [](const Result<>&) {});
  });
  TransStatus status = TransStatus::prepared;
  io.run_for(std::chrono::seconds{1});
  coordinator.query(Gid("birthday"), [&](const Result<std::optional<Transaction>>& stored) {
    status = (*stored)->status;
  });
  io.restart();
  io.run_for(std::chrono::seconds{1});
  std::printf("the gift of %d cents: %s\n", cents, std::string(to_string(status)).c_str());
  return !was_given && cents == 12 && status == TransStatus::succeed ? EXIT_SUCCESS : EXIT_FAILURE;
}
