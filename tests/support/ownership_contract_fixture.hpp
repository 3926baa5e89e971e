#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "store_contract_fixture.hpp"

namespace concerto::test {

class OwnershipContract : public StoreContract {
 protected:
  using Gids = std::vector<std::string>;

  /// Another coordinator on the same data.
  Store& other() { return *under_test_->other_store(); }
  static Ownership& ownership_of(Store& store) { return *store.ownership(); }

  Claimed claim(Store& by, const std::string& gid, Claim how = Claim::if_free) {
    return wait(ownership_of(by).claim(Gid{gid}, how)).value();
  }
  bool claims(Store& by, const std::string& gid, Claim how = Claim::if_free) {
    return claim(by, gid, how).is_ours;
  }
  Gids claim_due(Store& by, std::size_t limit) {
    Gids gids;
    for (const Transaction& trans : wait(ownership_of(by).claim_due(limit)).value()) {
      gids.push_back(trans.gid.str());
    }
    return gids;
  }
  Gids renew(Store& by, const Gids& gids) {
    std::vector<Gid> asked;
    for (const std::string& gid : gids) asked.emplace_back(gid);
    Gids lost;
    for (const Gid& gid : wait(ownership_of(by).renew(asked)).value()) lost.push_back(gid.str());
    std::sort(lost.begin(), lost.end());
    return lost;
  }
  void let_go(Store& by, const std::string& gid, std::chrono::nanoseconds from_now) {
    ASSERT_TRUE(wait(ownership_of(by).let_go(Gid{gid}, in(from_now))));
  }

  error_code commit_code_by(Store& by, Change change) {
    const Result<> done = wait(by.commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  error_code succeed_by(Store& by, const std::string& gid) {
    return commit_code_by(by, update(gid, TransStatus::submitted, at_now(TransStatus::succeed)));
  }
  TransDelta at_now(std::optional<TransStatus> status = std::nullopt) const {
    TransDelta delta;
    delta.at = in({});
    delta.status = status;
    return delta;
  }
  /// A change that puts the transaction to rest.
  Change rest(const std::string& gid, std::chrono::nanoseconds from_now) const {
    UpdateTrans update;
    update.gid = Gid{gid};
    update.expected = TransStatus::submitted;
    update.delta = at_now();
    update.delta.schedule = Schedule{std::chrono::seconds{10}, in(from_now), true};
    update.rests_until = in(from_now);
    Change change;
    change.what = std::move(update);
    return change;
  }

  void queue_progress(Change change) {
    change.durability = Durability::progress;
    ASSERT_EQ(commit_code_by(store(), std::move(change)), error_code{});
  }

  void create_one(const std::string& gid, TransStatus status = TransStatus::submitted) {
    Transaction trans = sample_saga(gid);
    trans.status = status;
    trans.create_time = trans.update_time = in({});
    trans.next_cron_time = in(std::chrono::seconds(100));
    ASSERT_TRUE(commit(create(trans)));
  }
  /// Moves the store's clock beyond every lease that has been given.
  void end_leases() {
    under_test_->pass_time(ownership_of(store()).lease() + std::chrono::seconds(4));
  }
  /// The wall time of the coordinators, after so much time.
  WallTime in(std::chrono::nanoseconds from_now) const { return under_test_->now() + from_now; }
};

}  // namespace concerto::test
