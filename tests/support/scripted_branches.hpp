#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/branch_caller.hpp>

namespace concerto::test {

inline BranchReply reply_of(Outcome outcome, const std::string& text = "") {
  BranchReply reply;
  reply.outcome = outcome;
  if (outcome == Outcome::failure)
    reply.error = make_error(EngineErrc::branch_failure, text + " FAILURE");
  if (outcome == Outcome::error) reply.error = make_error(EngineErrc::branch_error, text);
  return reply;
}

/// Services that answer as a test says. The name of a call is `<op> <branch_id>`, for example
/// `action 01`.
class ScriptedBranches final : public BranchCaller {
 public:
  /// Gives this reply to the next call of this name. A call without a script succeeds.
  void reply(const std::string& name, Outcome outcome, const std::string& text = "") {
    script_[name].push_back(reply_of(outcome, text));
  }
  /// Makes every call succeed from now on, whatever was scripted.
  void forget_scripts() { script_.clear(); }
  /// Makes calls of this name wait until the test answers them.
  void hold(const std::string& name) { held_[name]; }
  bool waits(const std::string& name) const {
    const auto found = held_.find(name);
    return found != held_.end() && !found->second.empty();
  }
  /// Number of waiting calls of this name.
  std::size_t waiting(const std::string& name) const { return held_.at(name).size(); }
  void answer(const std::string& name, Outcome outcome, const std::string& text = "") {
    auto& waiting = held_.at(name);
    Completion<BranchReply> done = std::move(waiting.front());
    waiting.pop_front();
    done(reply_of(outcome, text));
  }
  /// Answers all waiting calls with an error, and lets later calls no longer wait.
  void release_all() {
    for (auto& [name, waiting] : std::exchange(held_, {})) {
      for (auto& done : waiting) done(reply_of(Outcome::error, "released"));
    }
  }

  /// Makes URLs with this text in them impossible to call.
  std::string unsendable = "unsendable";
  /// Makes gids, branch ids and headers with this text in them impossible to send.
  std::string not_carried = "not carried";

  Result<unsigned> way_of(Protocol, std::string_view url) const override {
    if (url.find(unsendable) == std::string_view::npos) return 1U;
    return make_error(Errc::invalid_request, "bad URL " + std::string(url));
  }
  Result<> can_carry(unsigned, const BranchCall& call) const override {
    const auto has = [this](std::string_view text) {
      return text.find(not_carried) != std::string_view::npos;
    };
    bool found = has(call.gid->view()) || has(call.branch_id) || has(call.op);
    for (const auto& [name, value] : *call.headers) found |= has(name) || has(value);
    return found ? make_error(Errc::invalid_request, "this is not carried") : ok();
  }

  /// How many times waiting calls were cancelled. Such calls go on waiting.
  std::size_t cancellations = 0;

  Result<> takes_rpc_payload(std::string_view, std::string_view payload) const override {
    if (payload.find(not_carried) == std::string_view::npos) return ok();
    return make_error(Errc::invalid_request, "this payload is not taken");
  }

  /// The calls so far, in order.
  std::vector<std::string> calls;
  std::vector<BranchCall> requests;
  /// What the last call of each name carried.
  struct Sent {
    std::string url;
    std::string payload;
  };
  std::map<std::string, Sent> last_sent;

  Task<BranchReply> call(BranchCall call) override {
    const std::string name = std::string(call.op) + " " + std::string(call.branch_id);
    calls.push_back(name);
    requests.push_back(call);
    last_sent[name] = {std::string(call.url), std::string(call.payload)};
    if (call.url.empty()) co_return reply_of(Outcome::success);
    if (held_.contains(name)) {
      const auto wait = [this, name](Completion<BranchReply> done) {
        if (auto slot = done.cancellation_slot(); slot.is_connected()) {
          slot.assign([this](asio::cancellation_type) { ++cancellations; });
        }
        held_[name].push_back(std::move(done));
      };
      co_return co_await suspend<BranchReply>(wait);
    }
    auto& replies = script_[name];
    if (replies.empty()) co_return reply_of(Outcome::success);
    BranchReply next = std::move(replies.front());
    replies.pop_front();
    co_return next;
  }

 private:
  std::map<std::string, std::deque<BranchReply>> script_;
  std::map<std::string, std::deque<Completion<BranchReply>>> held_;
};

}  // namespace concerto::test
