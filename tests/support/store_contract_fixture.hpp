#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/store.hpp>

#include "await_result.hpp"
#include "sample_transactions.hpp"

namespace concerto::test {

/// A store together with the files or the server that it needs.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  /// Closes the store and opens it again on the same data.
  virtual void restart() = 0;

  /// What the store keeps of a transaction. A store that keeps everything keeps this
  /// implementation. Others drop what their layout has no room for, such as parts of a second.
  virtual Transaction kept(Transaction trans) const { return trans; }

  // The rest is for stores with an Ownership (ownership_contract.hpp).

  /// The same data as another coordinator opens it.
  virtual Store* other_store() { return nullptr; }
  /// The wall time of the coordinators that use the store.
  virtual WallTime now() const { return at_second(0); }
  /// Moves the store's own clock forward, or waits. `now` need not move.
  virtual void pass_time(std::chrono::nanoseconds /*by*/) {}
  /// Makes the next change of `store()` take effect and its answer get lost. False if a test cannot
  /// do that to this store.
  virtual bool lose_next_answer() { return false; }
};

struct StoreMaker {
  const char* name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) {
  *out << maker.name;
}

class StoreContract : public testing::TestWithParam<StoreMaker> {
 protected:
  Store& store() { return under_test_->store(); }
  void restart() { under_test_->restart(); }
  Transaction kept(Transaction trans) const { return under_test_->kept(std::move(trans)); }
  /// Makes a transaction this coordinator's that rests or was created before a restart, if several
  /// coordinators can share the store.
  void take(const std::string& gid) {
    if (store().ownership() == nullptr) return;
    EXPECT_TRUE(wait(store().ownership()->claim(Gid{gid}, Claim::always)));
  }

  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }

  Result<> commit(Change change) { return wait(store().commit(std::move(change))); }
  error_code commit_code(Change change) {
    const Result<> done = commit(std::move(change));
    return done ? error_code{} : done.error().code;
  }
  std::optional<Transaction> load(const std::string& gid) {
    auto found = wait(store().load(Gid{gid})).value();
    if (found) found = kept(std::move(*found));
    return found;
  }

  /// Creates the first few one after the other, so that their order is certain, and then the others
  /// at the same time.
  void create_in_order_and_all(const std::vector<Transaction>& all) {
    constexpr std::ptrdiff_t few = 5;
    ASSERT_GE(all.size(), static_cast<std::size_t>(few));
    for (auto trans = all.begin(); trans != all.begin() + few; ++trans) {
      ASSERT_TRUE(commit(create(*trans)));
    }
    create_all({all.begin() + few, all.end()});
  }

  /// Creates the transactions at the same time, so that they share groups.
  void create_all(const std::vector<Transaction>& all) {
    const auto work = asio::make_work_guard(io_);
    std::size_t left = all.size();
    for (const Transaction& trans : all) {
      asio::co_spawn(io_, commit_later(store(), create(trans)),
                     [&left](auto error, const auto& done) {
                       EXPECT_FALSE(error);
                       EXPECT_TRUE(done);
                       --left;
                     });
    }
    io_.restart();
    while (left > 0) io_.run_one();
  }

  /// All pages of `list`, newest first, `limit` at a time. Each page is full, or it is the last
  /// page.
  std::vector<std::string> list_gids(ListFilter filter, std::size_t limit) {
    return list_pages_of(filter, limit, limit);
  }

  /// All gids, read by pages. Each page except the last has at least `least` gids.
  std::vector<std::string> list_pages_of(const ListFilter& filter, std::size_t limit,
                                         std::size_t least) {
    std::vector<std::string> gids;
    std::string position;
    do {
      const TransPage page = wait(store().list(filter, position, limit)).value();
      EXPECT_LE(page.transactions.size(), limit);
      EXPECT_TRUE(page.next_position.empty() || page.transactions.size() >= least);
      for (const Transaction& trans : page.transactions) gids.push_back(trans.gid.str());
      position = page.next_position;
    } while (!position.empty());
    return gids;
  }

  std::vector<std::string> unfinished_gids(std::size_t limit) {
    std::vector<std::string> gids;
    std::uint64_t from = 0;
    do {
      const UnfinishedPage page = wait(store().scan_unfinished(from, limit)).value();
      EXPECT_LE(page.transactions.size(), limit);
      for (const UnfinishedTrans& trans : page.transactions) gids.push_back(trans.gid.str());
      from = page.next;
    } while (from != 0);
    return gids;
  }

  asio::io_context io_{1};
  std::unique_ptr<StoreUnderTest> under_test_ = GetParam().make();
};

}  // namespace concerto::test
