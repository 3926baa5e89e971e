#pragma once

#include <memory>
#include <string>

#include "engine_fixture.hpp"
#include "shared_nodes.hpp"

namespace concerto::test {

/// Two coordinators, `a_` and `b_`, on one shared store, each with its own branches.
class SharedFixture : public testing::Test {
 protected:
  void SetUp() override {
    a_ = start_node("a", a_branches_);
    b_ = start_node("b", b_branches_);
  }
  void TearDown() override {
    a_branches_.release_all();
    b_branches_.release_all();
    for (SharedNode* node : nodes()) {
      node->is_paused = false;
      node->store.release();
      node->store.busy_calls = 0;
    }
    advance(seconds(10));
    a_.reset();
    b_.reset();
  }

  /// The polls of a node begin at once.
  std::unique_ptr<SharedNode> start_node(const std::string& name, ScriptedBranches& branches) {
    auto node = std::make_unique<SharedNode>(shared_, clock_, name, branches, options_);
    node->world->start(node->coordinator().recover());
    return node;
  }
  std::vector<SharedNode*> nodes() {
    std::vector<SharedNode*> all;
    for (auto* node : {a_.get(), b_.get()}) {
      if (node != nullptr && node->world != nullptr) all.push_back(node);
    }
    return all;
  }
  void advance(std::chrono::nanoseconds by) { advance_all(clock_, nodes(), by); }
  /// `node` stands still for so long, and goes on then.
  void pause(SharedNode& node, std::chrono::nanoseconds by) {
    node.is_paused = true;
    advance(by);
    node.is_paused = false;
  }
  void kill(SharedNode& node) {
    CoordinatorWorld::crash(std::move(node.world));
    node.store.crash([] { return false; });
  }

  Pending<Result<>> submit(SharedNode& node, TransRequest request, RequestContext context = {}) {
    return node.world->start(node.coordinator().submit(std::move(request), context));
  }
  Pending<Result<>> submit_and_wait(SharedNode& node, TransRequest request,
                                    RequestContext context = {}) {
    request.options.wait_result = true;
    return submit(node, std::move(request), context);
  }
  Pending<Result<>> prepare(SharedNode& node, TransRequest request) {
    return node.world->start(node.coordinator().prepare(std::move(request)));
  }
  Pending<Result<>> abort(SharedNode& node, TransRequest request) {
    return node.world->start(node.coordinator().abort(std::move(request)));
  }
  Pending<Result<>> register_branch(SharedNode& node, const std::string& branch_id) {
    BranchRequest branch;
    branch.gid = Gid("g");
    branch.trans_type = "tcc";
    branch.branch_id = branch_id;
    branch.payload = "payload";
    branch.fields = {{"confirm", "f"}, {"cancel", "b"}};
    return node.world->start(node.coordinator().register_branch(std::move(branch)));
  }
  Pending<Result<>> force_stop(SharedNode& node) {
    return node.world->start(node.coordinator().force_stop(Gid("g")));
  }
  Pending<Result<>> reset(SharedNode& node) {
    return node.world->start(node.coordinator().reset_next_cron_time(Gid("g")));
  }
  TransStatus shown(SharedNode& node) {
    return node.world->start(node.coordinator().query(Gid("g")))->value().value()->status;
  }
  Transaction stored() { return shared_.load(Gid("g"), clock_.wall_now()).value(); }
  std::string owner() const { return shared_.owner(Gid("g")); }
  std::size_t alarms(SharedNode& node) { return node.coordinator().in_flight().alarms; }
  std::size_t live(SharedNode& node) { return node.coordinator().in_flight().live; }

  template <class T>
  static std::string error_of(const Pending<Result<T>>& result) {
    if (!result->has_value()) return "(not ended)";
    return (*result)->has_value() ? "" : (*result)->error().detail;
  }
  template <class T>
  static error_code code_of(const Pending<Result<T>>& result) {
    return result->value().has_value() ? error_code{} : result->value().error().code;
  }

  const std::chrono::nanoseconds lease_ = seconds(15);
  /// By then a lease has ended in the store too, and a poll has come.
  const std::chrono::nanoseconds takeover_ = lease_ + seconds(7);
  CoordinatorOptions options_;
  FakeClock clock_;
  SharedWorld shared_{clock_, lease_};
  ScriptedBranches a_branches_;
  ScriptedBranches b_branches_;
  std::unique_ptr<SharedNode> a_;
  std::unique_ptr<SharedNode> b_;
};

}  // namespace concerto::test
