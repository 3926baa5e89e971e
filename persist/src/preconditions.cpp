#include "preconditions.hpp"

#include <set>
#include <string_view>
#include <utility>

namespace concerto::persist {
namespace {

std::string quoted(const Gid& gid) {
  return "'" + gid.str() + "'";
}

/// Whether the change is nothing but a new schedule.
bool only_reschedules(const TransDelta& delta) {
  TransDelta same;
  same.at = delta.at;
  same.schedule = delta.schedule;
  return delta.schedule && delta == same;
}

}  // namespace

Error gid_exists(const Gid& gid) {
  return make_error(EngineErrc::gid_exists, "gid " + quoted(gid) + " exists already");
}

Error trans_not_found(const Gid& gid) {
  return make_error(EngineErrc::trans_not_found, "no transaction with gid " + quoted(gid));
}

Error status_mismatch(const UpdateTrans& update, TransStatus stored) {
  return make_error(EngineErrc::status_mismatch, "transaction " + quoted(update.gid) + " is " +
                                                     std::string(to_string(stored)) + ", not " +
                                                     std::string(to_string(update.expected)));
}

Result<> check_status(const UpdateTrans& update, TransStatus stored) {
  const bool may_change = !is_final(stored) || only_reschedules(update.delta);
  if (stored == update.expected && may_change) return ok();
  return status_mismatch(update, stored);
}

Result<> check_new_branches(const Transaction& trans, const TransDelta& delta) {
  if (delta.new_branches.empty()) return ok();
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const Branch& branch : trans.branches) known.emplace(branch.branch_id.view(), branch.op);
  for (const Branch& branch : delta.new_branches) {
    if (known.emplace(branch.branch_id.view(), branch.op).second) continue;
    return make_error(EngineErrc::branch_exists, "branch '" + branch.branch_id.str() + "' of " +
                                                     quoted(trans.gid) + " has the op '" +
                                                     branch.op + "' already");
  }
  return ok();
}

bool fits_as_created(const ListFilter& filter, const Transaction& created) noexcept {
  return (!filter.type || *filter.type == created.type) &&
         (!filter.created_from || created.create_time >= *filter.created_from) &&
         (!filter.created_to || created.create_time <= *filter.created_to);
}

bool matches(const ListFilter& filter, const Transaction& trans) {
  return (filter.statuses.empty() || filter.statuses.contains(trans.status)) &&
         fits_as_created(filter, trans) && (!filter.accepts || filter.accepts(trans));
}

UnfinishedTrans unfinished_of(const Transaction& trans) {
  UnfinishedTrans unfinished;
  unfinished.gid = trans.gid;
  unfinished.type = trans.type;
  unfinished.status = trans.status;
  unfinished.waits = trans.waits;
  unfinished.create_time = trans.create_time;
  unfinished.next_cron_time = trans.next_cron_time;
  unfinished.timeout_to_fail = trans.options.timeout_to_fail;
  unfinished.next_cron_interval = trans.next_cron_interval;
  unfinished.submit_time = trans.submit_time;
  unfinished.custom_data = trans.custom_data;
  return unfinished;
}

Transaction without_branches(const Transaction& trans) {
  Transaction shown = trans;
  shown.payloads.clear();
  shown.branches.clear();
  return shown;
}

std::size_t listed_bytes(const Transaction& listed) noexcept {
  std::size_t bytes = sizeof listed + listed.query_prepared.size() + listed.custom_data.size() +
                      listed.result.size() + listed.rollback_reason.size();
  for (const auto& [name, value] : listed.options.branch_headers) {
    bytes += name.size() + value.size();
  }
  return bytes;
}

Result<std::optional<std::uint64_t>> parse_position(const std::string& position) {
  if (position.empty()) return std::optional<std::uint64_t>{};
  const auto sequence = parse_number<std::uint64_t>(position);
  if (!sequence) return foreign_position(position);
  return sequence;
}

Error foreign_position(const std::string& position) {
  return make_error(Errc::invalid_request, "position '" + position + "' is not one of this list");
}

}  // namespace concerto::persist
