#include "sample.hpp"

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>

namespace concerto::bench {
namespace {

/// Longer than any measurement.
constexpr std::chrono::hours wait_time{240};
constexpr std::chrono::seconds retry_interval{10};

Branch make_branch(const char* id, const char* op, std::uint32_t payload, WallTime now) {
  Branch branch;
  branch.branch_id = BranchId{id};
  branch.op = op;
  branch.url = "bank.example:8080/concerto.load.Bank/TransOut";
  branch.payload = payload;
  branch.create_time = branch.update_time = now;
  return branch;
}

bool is_tcc(std::size_t number, Kind kind) {
  return kind == Kind::unfinished && number % 2 == 1;
}

Change change_of(const Transaction& trans, TransDelta delta, Durability durability) {
  Change change;
  change.what = UpdateTrans{trans.gid, trans.status, std::move(delta)};
  change.durability = durability;
  return change;
}

Change register_branch(const Transaction& trans, const SampleOptions& options) {
  TransDelta delta;
  delta.at = options.now;
  delta.new_payloads.emplace_back(options.payload_bytes, 'p');
  for (const char* op : {"cancel", "confirm"}) {
    delta.new_branches.push_back(make_branch("01", op, 0, options.now));
  }
  return change_of(trans, std::move(delta), Durability::durable);
}

Change put_off(const Transaction& trans, const SampleOptions& options) {
  TransDelta delta;
  delta.at = options.now;
  delta.schedule = Schedule{retry_interval, options.now + wait_time, true};
  return change_of(trans, std::move(delta), Durability::progress);
}

Change succeed(const Transaction& trans, std::uint32_t action, bool is_end,
               const SampleOptions& options) {
  TransDelta delta;
  delta.at = options.now;
  delta.branch_changes = {{action, BranchStatus::succeed, options.now}};
  if (is_end) delta.status = TransStatus::succeed;
  return change_of(trans, std::move(delta), Durability::durable);
}

}  // namespace

Gid sample_gid(std::size_t number) {
  // Gids are spread as random ones are.
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
  char gid[32];
  std::snprintf(gid, sizeof gid, "fill-%017llx", static_cast<unsigned long long>(number * odd));
  return Gid{gid};
}

Transaction make_sample(std::size_t number, const SampleOptions& options) {
  Transaction trans;
  trans.gid = sample_gid(number);
  trans.protocol = Protocol::grpc;
  trans.create_time = trans.update_time = options.now;
  trans.next_cron_interval = retry_interval;
  trans.next_cron_time = options.now + retry_interval;
  if (is_tcc(number, options.kind)) {
    trans.type = TransType::tcc;
    trans.options.timeout_to_fail = wait_time;
    return trans;
  }
  trans.status = TransStatus::submitted;
  trans.submit_time = options.now;
  trans.payloads.assign(2, std::string(options.payload_bytes, 'p'));
  for (std::uint32_t step = 0; step < 2; ++step) {
    for (const char* op : {"compensate", "action"}) {
      trans.branches.push_back(make_branch(step == 0 ? "01" : "02", op, step, options.now));
    }
  }
  return trans;
}

std::vector<Change> changes_of(const Transaction& created, const SampleOptions& options) {
  std::vector<Change> changes;
  if (options.kind == Kind::finished) {
    changes.push_back(succeed(created, 1, false, options));
    changes.push_back(succeed(created, 3, true, options));
  } else if (created.type == TransType::tcc) {
    changes.push_back(register_branch(created, options));
  } else {
    changes.push_back(put_off(created, options));
  }
  return changes;
}

bool is_sample(const Transaction& loaded, std::size_t number, const SampleOptions& options) {
  Transaction expected = make_sample(number, options);
  for (const Change& change : changes_of(expected, options)) {
    apply(expected, std::get<UpdateTrans>(change.what).delta);
  }
  return loaded == expected;
}

}  // namespace concerto::bench
