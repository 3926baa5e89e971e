#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator_world.hpp"

namespace concerto::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// One coordinator on a memory store with scripted branches.
class EngineFixture : public testing::Test {
 protected:
  Pending<Result<>> submit(TransRequest request) {
    return world_->start(world_->coordinator().submit(std::move(request)));
  }
  Pending<Result<>> submit_and_wait(TransRequest request) {
    request.options.wait_result = true;
    return submit(std::move(request));
  }
  Pending<Result<>> prepare(TransRequest request) {
    return world_->start(world_->coordinator().prepare(std::move(request)));
  }
  Pending<Result<Transaction>> prepare_workflow(TransRequest request) {
    return world_->start(world_->coordinator().prepare_workflow(std::move(request)));
  }
  Pending<Result<>> abort(TransRequest request) {
    return world_->start(world_->coordinator().abort(std::move(request)));
  }
  Pending<Result<>> register_branch(BranchRequest request) {
    return world_->start(world_->coordinator().register_branch(std::move(request)));
  }
  Pending<Result<>> force_stop(const std::string& gid) {
    return world_->start(world_->coordinator().force_stop(Gid(gid)));
  }
  Pending<Result<>> reset(const std::string& gid) {
    return world_->start(world_->coordinator().reset_next_cron_time(Gid(gid)));
  }
  Transaction query(const std::string& gid) {
    const auto found = world_->start(world_->coordinator().query(Gid(gid)));
    return found->value().value().value();
  }
  TransStatus status(const std::string& gid) { return query(gid).status; }

  /// A letter for the status of each row, such as `SFP`.
  std::string branch_statuses(const std::string& gid) {
    std::string letters;
    for (const Branch& branch : query(gid).branches) {
      letters += static_cast<char>(std::toupper(to_string(branch.status).front()));
    }
    return letters;
  }

  template <class T>
  static std::string error_of(const Pending<Result<T>>& result) {
    if (!result->has_value()) return "(not ended)";
    return (*result)->has_value() ? "" : (*result)->error().detail;
  }
  template <class T>
  static error_code code_of(const Pending<Result<T>>& result) {
    return result->value().has_value() ? error_code{} : result->value().error().code;
  }

  /// A crash, and a restart from what is stored.
  void restart_after_crash() {
    CoordinatorWorld::crash(std::move(world_));
    store_.crash();
    start_world();
    recover();
  }
  /// An orderly stop, and a start.
  void restart() {
    world_.reset();
    start_world();
    recover();
  }
  void start_world() {
    branches_ = std::make_unique<ScriptedBranches>();
    world_ = std::make_unique<CoordinatorWorld>(store_, clock_, *branches_, options_);
  }
  void recover() { world_->start(world_->coordinator().recover()); }

  void SetUp() override { start_world(); }
  void TearDown() override {
    branches_->release_all();
    store_.release_commits();
    world_.reset();
  }

  CoordinatorOptions options_;
  FakeClock clock_;
  persist::MemoryStore store_{persist::MemoryStore::Crash::loses_progress,
                              persist::MemoryStore::Answers::posted};
  std::unique_ptr<ScriptedBranches> branches_;
  std::unique_ptr<CoordinatorWorld> world_;
};

}  // namespace concerto::test
