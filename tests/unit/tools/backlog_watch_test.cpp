#include "backlog_watch.hpp"

#include <memory>

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <concerto/base/error.hpp>

#include "fake_clock.hpp"

namespace concerto::tools {
namespace {

using std::chrono::seconds;

/// A store that counts when it is told to.
class BacklogWatchTest : public testing::Test {
 protected:
  using Counted = std::optional<BacklogWatch::Counted>;
  using Scrape = std::shared_ptr<std::optional<Counted>>;

  ~BacklogWatchTest() override {
    answer(make_error(Errc::overloaded, "stop"));
    asio::co_spawn(
        io_, [](TaskGroup& tasks) -> Task<void> { co_await tasks.close(); }(tasks_),
        asio::detached);
    run();
  }

  Async<Backlog> count() {
    ++asked_;
    while (!answer_) co_await answered_.wait();
    co_return *std::exchange(answer_, std::nullopt);
  }
  void answer(Result<Backlog> answer) {
    answer_ = std::move(answer);
    answered_.notify_all();
    run();
  }
  void answer(std::size_t sagas) {
    Backlog backlog;
    backlog.by_type[static_cast<std::size_t>(TransType::saga)] = sagas;
    answer(Result<Backlog>(backlog));
  }
  Scrape scrape() {
    auto result = std::make_shared<std::optional<Counted>>();
    asio::co_spawn(
        io_,
        [](BacklogWatch& watch, Scrape out) -> Task<void> { out->emplace(co_await watch.last()); }(
                                                watch_, result),
        asio::detached);
    run();
    return result;
  }
  static std::size_t sagas(const Scrape& scrape) {
    return scrape->value().value().backlog.by_type[static_cast<std::size_t>(TransType::saga)];
  }
  void advance(seconds by) {
    clock_.advance(by);
    timers_.run_due();
    run();
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  test::FakeClock clock_;
  asio::io_context io_{1};
  Timers timers_{io_.get_executor(), clock_};
  Notifier answered_{io_.get_executor()};
  std::optional<Result<Backlog>> answer_;
  int asked_ = 0;
  TaskGroup tasks_{io_.get_executor()};
  BacklogWatch watch_{[this] { return count(); }, timers_, tasks_, io_.get_executor()};
};

TEST_F(BacklogWatchTest, TheFirstScrapeWaitsForTheFirstCount) {
  const Scrape first = scrape();
  EXPECT_FALSE(first->has_value());
  answer(7);
  EXPECT_EQ(sagas(first), 7U);
  EXPECT_EQ(sagas(scrape()), 7U) << "without asking the store";
  EXPECT_EQ(asked_, 1);
}

TEST_F(BacklogWatchTest, AScrapeDoesNotWaitLongForAStoreThatIsSilent) {
  const Scrape first = scrape();
  advance(BacklogWatch::wait_max);
  EXPECT_EQ(first->value(), std::nullopt);
}

TEST_F(BacklogWatchTest, AStoreThatIsAwayLeavesTheNumbersOutAtOnce) {
  const Scrape first = scrape();
  answer(make_error(Errc::overloaded, "away"));
  EXPECT_EQ(first->value(), std::nullopt);
  EXPECT_EQ(scrape()->value(), std::nullopt) << "it is asked again in a moment";
}

TEST_F(BacklogWatchTest, AnOldCountIsNotShownAndIsMadeAnew) {
  scrape();
  answer(7);
  for (int asked = 0; asked < asked_ && asked < 100;) {
    asked = asked_;
    advance(BacklogWatch::interval);
    if (asked < asked_) answer(7);
  }
  EXPECT_LT(asked_, 30) << "nobody scrapes any more";
  advance(seconds(3'600));
  const Scrape late = scrape();
  EXPECT_FALSE(late->has_value());
  answer(9);
  EXPECT_EQ(sagas(late), 9U);
}

TEST_F(BacklogWatchTest, EndsWithTheAnswerIfItsGroupIsClosedWhileTheStoreIsSilent) {
  scrape();
  asio::co_spawn(
      io_, [](TaskGroup& tasks) -> Task<void> { co_await tasks.close(); }(tasks_), asio::detached);
  run();
  EXPECT_EQ(tasks_.size(), 1U) << "the question is under way";
  answer(make_error(Errc::overloaded, "away"));
  EXPECT_EQ(tasks_.size(), 0U) << "no time has passed";
}

TEST_F(BacklogWatchTest, NoCountIsShownAnyMoreWhenTheStoreIsAway) {
  scrape();
  answer(7);
  EXPECT_EQ(sagas(scrape()), 7U);
  advance(BacklogWatch::interval);
  answer(make_error(Errc::overloaded, "away"));
  EXPECT_EQ(scrape()->value(), std::nullopt);
  advance(BacklogWatch::interval);
  answer(8);
  EXPECT_EQ(sagas(scrape()), 8U);
}

TEST_F(BacklogWatchTest, TheLastCountIsShownForAWhileWhenTheStoreIsSilent) {
  scrape();
  answer(7);
  advance(BacklogWatch::interval);
  EXPECT_EQ(sagas(scrape()), 7U);
  advance(BacklogWatch::age_max);
  const Scrape late = scrape();
  advance(BacklogWatch::wait_max);
  EXPECT_EQ(late->value(), std::nullopt);
}

}  // namespace
}  // namespace concerto::tools
