#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <concerto/engine/store.hpp>

namespace concerto::test {

inline WallTime at_second(std::int64_t second) {
  return WallTime{std::chrono::seconds{1'700'000'000 + second}};
}

inline Branch sample_branch(std::string branch_id, std::string op, std::uint32_t payload = 0) {
  Branch branch;
  branch.branch_id = BranchId{std::move(branch_id)};
  branch.op = std::move(op);
  branch.url = "http://bank/" + branch.op;
  branch.payload = payload;
  branch.create_time = at_second(0);
  return branch;
}

/// A saga of two branches, submitted at second `second`, with every kind of field in use.
inline Transaction sample_saga(const std::string& gid, std::int64_t second = 0) {
  Transaction trans;
  trans.gid = Gid{gid};
  trans.type = TransType::saga;
  trans.status = TransStatus::submitted;
  trans.protocol = Protocol::grpc;
  trans.options.wait_result = true;
  trans.options.timeout_to_fail = std::chrono::seconds{35};
  trans.options.branch_headers = {{"x-one", "1"}, {"x-two", "2"}};
  trans.custom_data = R"({"concurrent":false})";
  trans.create_time = at_second(second);
  trans.update_time = at_second(second);
  trans.submit_time = at_second(second);
  trans.next_cron_interval = std::chrono::seconds{10};
  trans.next_cron_time = at_second(second + 10);
  trans.payloads = {R"({"amount":30,"user":1})", std::string("bin\0ary", 7)};
  trans.branches = {sample_branch("01", "compensate", 0), sample_branch("01", "action", 0),
                    sample_branch("02", "compensate", 1), sample_branch("02", "action", 1)};
  return trans;
}

/// A commit that keeps its change, for a test that does not wait for the answer at once. What the
/// change refers to must outlive it all the same.
inline Async<> commit_later(Store& store, Change change) {
  co_return co_await store.commit(change);
}

inline Change create(const Transaction& trans, Durability durability = Durability::durable) {
  Change change;
  change.what = CreateTrans{&trans};
  change.durability = durability;
  return change;
}

inline Change update(const std::string& gid, TransStatus expected, TransDelta delta,
                     Durability durability = Durability::durable) {
  Change change;
  change.what = UpdateTrans{Gid{gid}, expected, std::move(delta)};
  change.durability = durability;
  return change;
}

/// A branch outcome: branches[index] has this status from `second` on.
inline TransDelta outcome(std::uint32_t index, BranchStatus status, std::int64_t second) {
  TransDelta delta;
  delta.at = at_second(second);
  delta.branch_changes = {{index, status, at_second(second)}};
  return delta;
}

inline TransDelta new_status(TransStatus status, std::int64_t second) {
  TransDelta delta;
  delta.at = at_second(second);
  delta.status = status;
  return delta;
}

inline KvRecord sample_topic(const std::string& key, const std::string& value) {
  return {"topics", key, value, 1, at_second(0), at_second(0)};
}

}  // namespace concerto::test
