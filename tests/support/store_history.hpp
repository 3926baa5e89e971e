#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/store.hpp>

#include "await_result.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {

/// Commits changes one after the other and remembers what the store has promised. After a crash it
/// checks the store: everything up to the last durable acknowledgement is there, in order, and no
/// change is half applied.
class StoreHistory {
 public:
  using State = std::map<std::string, Transaction>;

  /// Returns false once a change has failed. It is then unknown whether the change was made, and
  /// the history ends there.
  bool create(Store& store, const Transaction& trans, Durability durability) {
    State next = states_.back();
    next[trans.gid.str()] = trans;
    return note(std::move(next), await_result(io_, store.commit(test::create(trans, durability))),
                durability);
  }

  bool update(Store& store, const std::string& gid, const TransDelta& delta,
              Durability durability) {
    State next = states_.back();
    Transaction& trans = next.at(gid);
    const TransStatus expected = trans.status;
    apply(trans, delta);
    Change change = test::update(gid, expected, delta, durability);
    return note(std::move(next), await_result(io_, store.commit(std::move(change))), durability);
  }

  /// Checks a reopened store, and goes on from the state that the store has.
  void check(Store& store) {
    const State found = read(store);
    for (std::size_t i = durable_; i < states_.size(); ++i) {
      if (states_[i] != found) continue;
      check_views(store, found);
      states_ = {found};
      durable_ = 0;
      return;
    }
    ADD_FAILURE() << "what the store has is none of the " << states_.size() - durable_
                  << " states that it may have; beside the first and the last of them:\n"
                  << differences(states_[durable_], found) << differences(states_.back(), found);
  }

  asio::io_context& io() { return io_; }

 private:
  static std::string differences(const State& wanted, const State& found) {
    std::string text;
    for (const auto& [gid, trans] : wanted) {
      const auto there = found.find(gid);
      if (there == found.end()) {
        text += "  " + gid + " is missing\n";
      } else if (there->second != trans) {
        text += "  " + gid + " is " + std::string(to_string(there->second.status)) + " and not " +
                std::string(to_string(trans.status)) + ", or differs in a branch\n";
      }
    }
    for (const auto& [gid, trans] : found) {
      if (!wanted.contains(gid)) text += "  " + gid + " is too much\n";
    }
    return text + "  ---\n";
  }

  bool note(State next, const Result<>& result, Durability durability) {
    if (!result && result.error().code == Condition::rejected) {
      ADD_FAILURE() << result.error().detail;
    }
    if (!result && result.error().code == EngineErrc::store_unavailable) return false;
    states_.push_back(std::move(next));
    if (result && durability == Durability::durable) durable_ = states_.size() - 1;
    return result.has_value();
  }

  /// Every gid that occurs in any state.
  State read(Store& store) {
    State found;
    std::map<std::string, bool> gids;
    for (const State& state : states_) {
      for (const auto& [gid, trans] : state) gids[gid] = true;
    }
    for (const auto& [gid, known] : gids) {
      auto loaded = await_result(io_, store.load(Gid{gid}));
      if (!loaded) {
        ADD_FAILURE() << loaded.error().detail;
        continue;
      }
      if (*loaded) found.emplace(gid, std::move(**loaded));
    }
    return found;
  }

  /// Checks that scan_unfinished and list agree with load.
  void check_views(Store& store, const State& found) {
    std::size_t unfinished = 0;
    for (const auto& [gid, trans] : found) unfinished += is_final(trans.status) ? 0 : 1;
    const auto listed = await_result(io_, store.scan_unfinished(0, 1000)).value();
    EXPECT_EQ(listed.transactions.size(), unfinished);
    for (const UnfinishedTrans& trans : listed.transactions) {
      EXPECT_EQ(found.at(trans.gid.str()).status, trans.status);
    }
    const auto page = await_result(io_, store.list({}, "", 1000)).value();
    EXPECT_EQ(page.transactions.size(), found.size());
  }

  asio::io_context io_{1};
  std::vector<State> states_ = {State{}};
  std::size_t durable_ = 0;  ///< index of the oldest state that the store may have
};

}  // namespace concerto::test
