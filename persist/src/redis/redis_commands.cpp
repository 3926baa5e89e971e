#include "redis_commands.hpp"

#include <algorithm>
#include <cstdio>

#include <concerto/base/base64.hpp>

#include "../preconditions.hpp"
#include "../sql/owner_column.hpp"
#include "record_json.hpp"

namespace concerto::persist {
namespace {

/// Begins a command that calls a script; the keys and the arguments follow.
CommandWriter call(Script which, std::size_t keys, std::size_t args) {
  CommandWriter command{3 + keys + args};
  command.add("EVALSHA").add(script(which).sha).add(static_cast<std::int64_t>(keys));
  return command;
}

void add_keys(CommandWriter& command, const RedisKeys& keys, const Gid& gid) {
  command.add(keys.record(gid.view()));
  command.add(keys.branches(gid.view()));
  command.add(keys.schedule());
  command.add(keys.status(gid.view()));
}

void add_index_keys(CommandWriter& command, const RedisKeys& keys) {
  command.add(keys.all()).add(keys.open()).add(keys.failed());
}

}  // namespace

void RedisCommands::set_retention(const StoreRetention& retention) {
  finished_expire_s_ = retention.finished_expire.count();
  failed_expire_s_ = retention.failed_expire.count();
}

/// Relative, because the schedule has times of Redis's clock.
std::string RedisCommands::seconds_until(WallTime time) const {
  const std::chrono::duration<double> left = time - clock_.wall_now();
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", left.count());
  return text;
}

std::chrono::seconds RedisCommands::expire_of(TransStatus status, WallTime wakes_at) const {
  using std::chrono::seconds;
  constexpr seconds least{1};
  const seconds finished{finished_expire_s_.load()};
  if (status == TransStatus::succeed) return std::max(finished, least);
  if (status == TransStatus::failed) {
    return std::max({finished, seconds{failed_expire_s_.load()}, least});
  }
  const auto wait = std::chrono::ceil<seconds>(wakes_at - clock_.wall_now());
  return times_.data_expire + std::max(wait, seconds{0});
}

std::string RedisCommands::create(const Transaction& trans, bool rests) {
  const std::int64_t change = ++changes_;
  const bool final = is_final(trans.status);
  const bool waits = !final && (rests || trans.status == TransStatus::prepared);
  // The record keeps its next_cron_time; the schedule counts.
  WallTime wakes_at = trans.next_cron_time;
  if (rests && was_in_work(trans)) wakes_at = std::min(wakes_at, trans.update_time);
  const std::string_view owner = final ? std::string_view() : waits ? rest_mark : node_;
  const std::vector<std::string> branches = branch_records_of(trans);
  CommandWriter command = call(Script::create, 7, 8 + branches.size());
  add_keys(command, keys_, trans.gid);
  add_index_keys(command, keys_);
  command.add(node_).add(change).add(trans.gid.view()).add(to_string(trans.status));
  command.add(expire_of(trans.status, wakes_at).count());
  command.add(final ? "final" : waits ? "wait" : "lease");
  command.add(waits ? seconds_until(wakes_at) : std::to_string(times_.lease.count()));
  command.add(record_of(trans, owner, node_, change));
  for (const std::string& branch : branches) command.add(branch);
  return command.take();
}

std::string RedisCommands::update(const UpdateTrans& update) {
  const TransDelta& delta = update.delta;
  const TransStatus after = delta.status.value_or(update.expected);
  const WallTime wakes_at = update.rests_until.value_or(clock_.wall_now());
  const bool only_schedule = is_final(update.expected) && check_status(update, update.expected);
  const bool ends_alone = changes_ends_alone(update);
  const std::int64_t change = ++changes_;
  const std::size_t more =
      ends_alone ? 1 + 2 * delta.branch_changes.size() : delta.new_payloads.size();
  CommandWriter command = call(Script::update, 7, 9 + more);
  add_keys(command, keys_, update.gid);
  add_index_keys(command, keys_);
  command.add(node_).add(change).add(update.gid.view()).add(to_string(update.expected));
  command.add(expire_of(after, wakes_at).count());
  command.add(is_final(after) ? "final" : update.rests_until ? "wait" : "lease");
  command.add(update.rests_until ? seconds_until(wakes_at) : std::to_string(times_.lease.count()));
  command.add(only_schedule ? "1" : "0");
  if (ends_alone) {
    command.add(new_end_of_record(update, node_, change)).add(new_schedule(update));
    for (const BranchChange& branch : delta.branch_changes) {
      command.add(std::int64_t{branch.index}).add(new_end_of_branch(branch));
    }
  } else {
    command.add(delta_json(delta, update.gid));
    for (const std::string& payload : delta.new_payloads) command.add(base64_encode(payload));
  }
  return command.take();
}

std::string RedisCommands::load(const Gid& gid) const {
  return load_command(gid, "short").take();
}

std::string RedisCommands::load_many(std::span<const Gid> gids) const {
  CommandWriter command = call(Script::load_many, 1, 1 + gids.size());
  command.add(keys_.schedule()).add(keys_.prefix());
  for (const Gid& gid : gids) command.add(gid.view());
  return command.take();
}

std::string RedisCommands::check(const Gid& gid) const {
  return load_command(gid, "full").take();
}

CommandWriter RedisCommands::load_command(const Gid& gid, std::string_view way) const {
  CommandWriter command = call(Script::load, 3, 1);
  command.add(keys_.record(gid.view())).add(keys_.branches(gid.view()));
  command.add(keys_.status(gid.view())).add(way);
  return command;
}

std::string RedisCommands::claim(const Gid& gid, Claim how) const {
  CommandWriter command = call(Script::claim, 4, 5);
  add_keys(command, keys_, gid);
  command.add(node_).add(gid.view()).add(times_.lease.count());
  command.add(how == Claim::always ? "1" : "0").add(times_.data_expire.count());
  return command.take();
}

std::string RedisCommands::claim_due(std::size_t limit) const {
  // A damaged transaction is looked at again after so long.
  constexpr std::int64_t damaged_rest_s = 60;
  CommandWriter command = call(Script::claim_due, 1, 6);
  command.add(keys_.schedule()).add(node_).add(keys_.prefix()).add(times_.lease.count());
  command.add(static_cast<std::int64_t>(limit)).add(times_.data_expire.count());
  command.add(damaged_rest_s);
  return command.take();
}

std::string RedisCommands::renew(std::span<const Gid> gids) const {
  CommandWriter command = call(Script::renew, 1, 4 + gids.size());
  command.add(keys_.schedule()).add(node_).add(keys_.prefix());
  command.add(times_.lease.count()).add(times_.data_expire.count());
  for (const Gid& gid : gids) command.add(gid.view());
  return command.take();
}

std::string RedisCommands::let_go(const Gid& gid, WallTime until) const {
  CommandWriter command = call(Script::let_go, 4, 5);
  add_keys(command, keys_, gid);
  command.add(node_).add(gid.view()).add(seconds_until(until)).add("[" + time_json(until) + "]");
  command.add(expire_of(TransStatus::submitted, until).count());
  return command.take();
}

std::string RedisCommands::owner_of(const Gid& gid) const {
  CommandWriter command = call(Script::owner, 3, 2);
  command.add(keys_.record(gid.view())).add(keys_.schedule()).add(keys_.status(gid.view()));
  command.add(node_).add(gid.view());
  return command.take();
}

std::string RedisCommands::work_of_others() const {
  constexpr std::int64_t lease_seconds_max = 3'600;
  CommandWriter command = call(Script::in_work, 1, 3);
  command.add(keys_.schedule()).add(lease_seconds_max).add(keys_.prefix());
  command.add(std::int64_t{reference_works_for.count()});
  return command.take();
}

WorkOfOthers RedisCommands::work_of_others_in(const Reply& answer) {
  WorkOfOthers work;
  work.count = static_cast<std::size_t>(answer[0].number().value_or(0));
  if (work.count > 0) work.free_in = std::chrono::milliseconds(answer[1].number().value_or(0));
  return work;
}

std::string RedisCommands::resting(std::chrono::seconds beyond, std::string_view farthest,
                                   std::size_t left_out, std::size_t count) const {
  CommandWriter command = call(Script::resting, 1, 5);
  command.add(keys_.schedule()).add(beyond.count()).add(keys_.prefix()).add(farthest);
  command.add(static_cast<std::int64_t>(left_out)).add(static_cast<std::int64_t>(count));
  return command.take();
}

std::string RedisCommands::kv_create(const KvRecord& record) {
  CommandWriter command = call(Script::kv_create, 1, 1);
  command.add(keys_.kv(record.cat, record.key)).add(kv_record_of(record, node_, ++changes_));
  return command.take();
}

std::string RedisCommands::kv_update(const KvRecord& record) {
  CommandWriter command = call(Script::kv_update, 1, 4);
  command.add(keys_.kv(record.cat, record.key)).add(node_).add(++changes_);
  command.add(record.version).add(kv_change_json(record));
  return command.take();
}

}  // namespace concerto::persist
