#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
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
    return wait(store().load(Gid{gid})).value();
  }

  /// Creates the transactions at the same time and in their order, so that they share groups.
  void create_all(const std::vector<Transaction>& all) {
    const auto work = asio::make_work_guard(io_);
    std::size_t left = all.size();
    for (const Transaction& trans : all) {
      asio::co_spawn(io_, store().commit(create(trans)), [&left](auto error, const auto& done) {
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
