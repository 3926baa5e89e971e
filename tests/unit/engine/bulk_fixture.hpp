#pragma once

#include <memory>
#include <string>
#include <utility>

#include <concerto/engine/bulk_actions.hpp>

#include "engine_fixture.hpp"

namespace concerto::test {

inline BulkRequest request_of(BulkAction action, std::string target = {}) {
  BulkRequest request;
  request.action = action;
  request.selection.trouble.target = std::move(target);
  request.reason = "ticket";
  return request;
}

class BulkActionsTest : public EngineFixture {
 protected:
  void SetUp() override {
    EngineFixture::SetUp();
    start_bulk();
  }
  void TearDown() override {
    stop_bulk();
    EngineFixture::TearDown();
  }

  void make_bulk() {
    bulk_ = std::make_unique<BulkActions>(world_->coordinator(), store_, clock_, world_->executor(),
                                          world_->timers(), world_->random());
  }
  void start_bulk() {
    make_bulk();
    bulk_->start();
    world_->run();
  }
  void stop_bulk() {
    asio::co_spawn(world_->executor(), bulk_->stop(), asio::detached);
    world_->advance(seconds(5));
    bulk_.reset();
  }

  /// Begins to stop all, and holds the first changes up.
  std::string begin_and_hold() {
    stop_bulk();
    make_bulk();
    std::string id = begin(request_of(BulkAction::stop)).id;
    store_.hold_commits();
    bulk_->start();
    world_->run();
    return id;
  }

  /// Sagas whose first branch is in trouble.
  void stuck(int count, const std::string& name = "g") {
    options_.retry_interval = seconds(1'000);
    for (int i = 0; i < count; ++i) {
      branches_->reply("action 01", Outcome::error, "no disk");
      submit(make_request(name + std::to_string(i), "saga", 1));
    }
  }

  BulkJob begin(BulkRequest request) {
    return world_->start(bulk_->begin(std::move(request)))->value().value();
  }
  BulkJob job(const std::string& id) {
    return world_->start(bulk_->jobs(id, 10))->value().value().at(0);
  }
  /// The job of a request does and refuses what its preview says.
  void expect_as_previewed(const BulkRequest& request, std::size_t matched, std::size_t refused) {
    const BulkPreview preview = world_->start(bulk_->preview(request))->value().value();
    const BulkJob ended = job(begin(request).id);
    EXPECT_EQ(preview.matched, matched);
    EXPECT_EQ(preview.refused, refused);
    EXPECT_EQ(ended.done, preview.matched);
    EXPECT_EQ(ended.failed, preview.refused);
    EXPECT_EQ(ended.failures, preview.failures);
  }
  BulkCounts count(BulkCountBy by) {
    return world_->start(bulk_->count({}, by, 10))->value().value();
  }

  std::unique_ptr<BulkActions> bulk_;
};

}  // namespace concerto::test
