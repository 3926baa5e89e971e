#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "coordinator_world.hpp"
#include "shared_branches.hpp"
#include "shared_nodes.hpp"

namespace concerto::test {

/// A transaction as its application sees it: what the application has asked coordinators for, what
/// they have acknowledged, and what must be true in the end. Each request goes to another
/// coordinator. An error promises nothing: the request may have had its effect before the error.
class SharedApplication {
 public:
  SharedApplication(SharedLedger& ledger, SeededRandom& random, std::string gid)
      : ledger_(ledger), random_(random), gid_(std::move(gid)) {
    static constexpr const char* types[] = {"saga", "saga", "msg", "tcc", "xa", "workflow"};
    type_ = types[random.below(std::size(types))];
    steps_ = is("saga") || is("msg") ? 1 + static_cast<int>(random.below(4)) : 0;
    goes_ = random.chance(70);
    begins_prepared_ = !is("saga") && !(is("msg") && goes_ && random.chance(40));
    request_ = make();
    if (is("msg")) ledger.goes[gid_.str()] = goes_;
  }

  const Gid& gid() const noexcept { return gid_; }

  void begin(SharedNode& node) {
    if (is("workflow")) return prepare_workflow(node);
    begins_prepared_ ? prepare(node) : submit(node);
  }

  /// The next request: the application goes on, repeats itself, or an operator comes between.
  void go_on(SharedNode& node) {
    switch (random_.below(12)) {
      case 0:
        node.world->start(node.coordinator().reset_next_cron_time(gid_));
        return;
      case 1:
        if (random_.chance(20)) force_stop(node);
        return;
      case 2:
        return begin(node);
      case 3:
      case 4:
        return decide(node);
      default:
        if (has_branches() && random_.chance(60)) return register_branch(node);
    }
  }

  /// Nothing disturbs the application any more: it does what the coordinators ask it for.
  void finish(SharedNode& node) {
    if (is("workflow") && ledger_.resumed.erase(gid_.str()) > 0) decide(node);
  }

  /// What is wrong in the end.
  void check(const std::optional<Transaction>& trans) {
    if (!trans) {
      const bool was_created = any(created_) || any(submitted_) || any(waited_);
      if (was_created) wrong("is lost");
      if (ledger_.steps.contains(gid_.str())) wrong("is called and not stored");
      return;
    }
    if (!is_final(trans->status)) return wrong("has not ended");
    const bool succeeded = trans->status == TransStatus::succeed;
    if (any(waited_) && !succeeded) wrong("has not succeeded, but a waiter was told so");
    if (any(stopped_) && succeeded) wrong("has succeeded after it was stopped");
    if (is_stopped_) return;
    const bool one_decides = is("msg") || is("workflow");
    if (one_decides && succeeded != goes_) wrong("does not end as its application decided");
    if (has_phases() && any(submitted_) && !succeeded) wrong("has failed and was submitted");
    if (any(aborted_) && succeeded) wrong("has succeeded and was aborted");
    check_steps(succeeded);
    check_registered(*trans);
  }

 private:
  using Answers = std::vector<Pending<Result<>>>;

  bool is(std::string_view type) const { return type_ == type; }
  bool has_phases() const { return is("tcc") || is("xa"); }
  bool has_branches() const { return has_phases() || is("workflow"); }
  void wrong(const std::string& what) {
    ledger_.wrong.push_back(gid_.str() + " (" + type_ + ") " + what);
  }
  static bool has_succeeded(const Pending<Result<>>& answer) {
    return answer->has_value() && (*answer)->has_value();
  }
  static bool any(const Answers& answers) { return std::ranges::any_of(answers, has_succeeded); }

  TransRequest make() {
    auto trans = make_request(gid_.str(), type_, steps_);
    if (is("msg") || is("workflow")) trans.query_prepared = "query";
    if (is("workflow")) trans.custom_data = R"({"name":"w","data":""})";
    if (is("saga") && random_.chance(40)) trans.custom_data = R"({"concurrent":true})";
    if (is("msg") && random_.chance(20)) trans.custom_data = R"({"delay":20})";
    if (is("saga") && random_.chance(30)) trans.options.timeout_to_fail = std::chrono::seconds(60);
    if (is("saga") && random_.chance(30)) trans.options.retry_limit = 1;
    return trans;
  }

  void prepare(SharedNode& node) {
    created_.push_back(node.world->start(node.coordinator().prepare(request_)));
  }

  void prepare_workflow(SharedNode& node) {
    const auto answer = [](Async<Transaction> prepared) -> Async<> {
      const Result<Transaction> done = co_await std::move(prepared);
      if (!done) co_return done.error();
      co_return ok();
    };
    created_.push_back(node.world->start(answer(node.coordinator().prepare_workflow(request_))));
  }

  void submit(SharedNode& node) {
    TransRequest request = request_;
    request.options.wait_result = !is("workflow") && random_.chance(30);
    Answers& answers = request.options.wait_result ? waited_ : submitted_;
    if (is("workflow")) request.extra = {{"status", goes_ ? "succeed" : "failed"}};
    answers.push_back(node.world->start(node.coordinator().submit(std::move(request))));
  }

  void abort(SharedNode& node) {
    TransRequest request = request_;
    request.rollback_reason = "undecided";
    aborted_.push_back(node.world->start(node.coordinator().abort(std::move(request))));
  }

  /// An application of a tcc or xa may change its mind: one of its requests is refused then.
  void decide(SharedNode& node) {
    if (is("saga") || is("workflow")) return submit(node);
    const bool goes = has_phases() && random_.chance(20) ? !goes_ : goes_;
    goes ? submit(node) : abort(node);
  }

  void force_stop(SharedNode& node) {
    is_stopped_ = true;
    stopped_.push_back(node.world->start(node.coordinator().force_stop(gid_)));
  }

  void register_branch(SharedNode& node) {
    if (registered_.size() == 5) return;
    BranchRequest branch;
    branch.gid = gid_;
    branch.trans_type = type_;
    branch.branch_id = id_of(registered_.size());
    branch.fields = {{"confirm", "f"}, {"cancel", "b"}, {"url", "u"}};
    if (is("workflow")) branch.fields = {{"op", "action"}, {"status", "succeed"}};
    registered_.push_back(node.world->start(node.coordinator().register_branch(std::move(branch))));
  }

  static std::string id_of(std::size_t index) { return "0" + std::to_string(index + 1); }

  void check_steps(bool succeeded) {
    for (int number = 0; number < steps_; ++number) {
      const std::string branch = id_of(static_cast<std::size_t>(number));
      const bool in_effect = ledger_.steps[gid_.str()][branch].in_effect();
      if (in_effect != succeeded) wrong("differs in step " + branch);
    }
  }

  /// What was registered is told the end, and nothing else.
  void check_registered(const Transaction& trans) {
    const bool succeeded = trans.status == TransStatus::succeed;
    for (std::size_t i = 0; i < registered_.size(); ++i) {
      const std::string branch = id_of(i);
      const bool is_stored = std::ranges::any_of(
          trans.branches, [&](const Branch& one) { return one.branch_id.view() == branch; });
      if (!is_stored && has_succeeded(registered_[i])) wrong("has lost branch " + branch);
      if (!has_phases()) continue;
      const SharedLedger::Step& step = ledger_.steps[gid_.str()][branch];
      if (step.done && step.compensated) wrong("tells two ends to branch " + branch);
      if (is_stored && step.done != succeeded) wrong("does not tell its end to branch " + branch);
      if (is_stored && step.compensated == succeeded) wrong("ends otherwise at branch " + branch);
    }
  }

  SharedLedger& ledger_;
  SeededRandom& random_;
  Gid gid_;
  std::string type_;
  int steps_ = 0;
  bool goes_ = true;  ///< the application's decision
  bool begins_prepared_ = false;
  bool is_stopped_ = false;  ///< a force stop was asked for
  TransRequest request_;
  Answers created_, submitted_, waited_, aborted_, stopped_, registered_;
};

}  // namespace concerto::test
