// An operator changes the URL or the payload of a row that has not been done.

#include <algorithm>
#include <chrono>
#include <utility>

#include <concerto/base/masked_url.hpp>

#include "named_rows.hpp"
#include "operator_log.hpp"
#include "request_parts.hpp"
#include "requests.hpp"
#include "sendable.hpp"

namespace concerto {
namespace {

/// How long a request waits for the end of a pass, and how often it looks.
constexpr std::chrono::seconds pass_patience{2};
constexpr std::chrono::milliseconds pass_look{200};

Result<> check_asked(const BranchEdit& edit) {
  CONCERTO_CHECK(check_gid(edit.gid));
  const auto invalid = [](std::string text) {
    return make_error(Errc::invalid_request, std::move(text));
  };
  if (!edit.url && !edit.payload) return invalid("url and payload: expected one of them or both");
  if (!edit.url) return ok();
  if (edit.url->empty()) return invalid("url: expected one, found an empty text");
  if (edit.url->size() <= url_bytes_max) return ok();
  return invalid("url has " + std::to_string(edit.url->size()) + " bytes, at most " +
                 std::to_string(url_bytes_max) + " are allowed");
}

Result<> check_may_change(const Transaction& trans, const Mode& mode) {
  const std::string who = "gid " + trans.gid.str();
  if (is_final(trans.status)) {
    return conflict(who + " has ended with status " + quoted(trans.status) +
                    ", no branch can be changed.");
  }
  if (is_resumed(mode)) {
    return conflict(who + " is of type " + std::string(mode.name) +
                    ", whose application makes the calls: no branch can be changed.");
  }
  if (trans.status != TransStatus::prepared) return ok();
  return conflict(who + " has status " + quoted(trans.status) +
                  ", its application still works on it: no branch can be changed.");
}

Result<> check_room(const Transaction& trans, std::size_t bytes) {
  const std::string who = "payload: the branches of gid " + trans.gid.str();
  if (trans.payloads.size() >= payloads_max) {
    return make_error(EngineErrc::invalid_entry, who + " have had " + std::to_string(payloads_max) +
                                                     " payloads, no more are allowed");
  }
  if (payload_bytes(trans) + bytes <= registered_bytes_max) return ok();
  return make_error(
      EngineErrc::invalid_entry,
      who + " would have more than " + std::to_string(registered_bytes_max) + " bytes of data");
}

/// What `edit` would change, if it may.
Result<BranchEdited> edited_row(const BranchCaller& branches, const Transaction& trans,
                                const Mode& mode, const BranchEdit& edit) {
  CONCERTO_CHECK(check_may_change(trans, mode));
  CONCERTO_TRY(const std::uint32_t index, named_row(trans, mode, edit.row));
  Branch row = trans.branches[index];
  if (row.status != BranchStatus::prepared) {
    return conflict("branch " + row.branch_id.str() + " " + row.op + " of gid " + trans.gid.str() +
                    " has ended with status '" + std::string(to_string(row.status)) +
                    "', it cannot be changed.");
  }
  const std::string& old_payload = trans.payloads[row.payload];
  if (edit.payload) CONCERTO_CHECK(check_room(trans, edit.payload->size()));
  BranchEdited edited;
  edited.index = index;
  edited.row = {row.branch_id.str(), row.op};
  edited.url_before = masked_url(row.url);
  edited.payload_bytes_before = old_payload.size();
  if (edit.url) row.url = *edit.url;
  const std::string& payload = edit.payload ? *edit.payload : old_payload;
  CONCERTO_CHECK(check_sendable(branches, mode, trans, row, payload));
  edited.url = masked_url(row.url);
  edited.payload_bytes = payload.size();
  edited.trans = trans;
  edited.trans.branches.clear();
  edited.trans.payloads.clear();
  return edited;
}

std::string told(const BranchEdit& edit, const Result<BranchEdited>& done) {
  std::string text = "change " + row_text(done ? done->row : edit.row);
  if (!done) return text;
  if (edit.url) text += ", its URL from " + done->url_before + " to " + done->url;
  if (!edit.payload) return text;
  return text + ", its payload of " + std::to_string(done->payload_bytes_before) + " bytes to " +
         std::to_string(done->payload_bytes);
}

}  // namespace

Async<BranchEdited> Requests::edit_branch(BranchEdit edit, RequestContext context) {
  const Result<BranchEdited> done = co_await edit_between_passes(edit, context);
  const Result<> outcome = done ? ok() : Result<>(done.error());
  tell_operator(env_.observer, LogLevel::warn, edit.gid.view(), told(edit, done), context, outcome);
  co_return done;
}

Async<BranchEdited> Requests::preview_edit(BranchEdit edit) {
  CONCERTO_CO_CHECK(check_asked(edit));
  CONCERTO_CO_TRY(const std::optional<Transaction> found, co_await query(edit.gid));
  if (!found) {
    co_return make_error(EngineErrc::trans_not_found,
                         "no TransGlobal with gid: " + edit.gid.str() + " found");
  }
  const Mode* mode = env_.modes.find(found->type);
  if (mode == nullptr) {
    co_return conflict("gid " + edit.gid.str() + " has a type that is not in this version.");
  }
  co_return edited_row(env_.ports.branches, *found, *mode, edit);
}

/// Calls use the URLs and payloads of their transaction, so none may run.
Async<BranchEdited> Requests::edit_between_passes(const BranchEdit& edit, RequestContext context) {
  CONCERTO_CO_CHECK(check_asked(edit));
  const SteadyTime until = env_.now() + pass_patience;
  for (;;) {
    const Pin pin = live_.pin(edit.gid);
    const std::uint64_t seen = pin->passes;
    CONCERTO_CO_TRY(std::optional<BranchEdited> edited,
                    co_await bound(edit.gid, context, edit_row(edit)));
    if (edited) co_return std::move(*edited);
    if (env_.stopping) co_return shutting_down();
    if (env_.now() >= until) {
      co_return conflict("gid " + edit.gid.str() +
                         " is being processed, no branch can be changed now.");
    }
    const Result<> ended =
        co_await passes_.wait_for_pass(pin, seen, std::min(until, env_.now() + pass_look));
    ignore_error(ended, "the next look tells");
  }
}

/// Nullopt: the transaction is being processed.
Async<std::optional<BranchEdited>> Requests::edit_row(BranchEdit edit) {
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(edit.gid));
    LiveTrans& live = *turn;
    if (env_.stopping) co_return shutting_down();
    const bool is_at_work = live.is_driven() || live.calls.running > 0;
    if (!is_final(live.trans.status) && (is_others(live) || is_at_work)) {
      co_return std::optional<BranchEdited>();
    }
    CONCERTO_CO_TRY(BranchEdited edited,
                    edited_row(env_.ports.branches, live.trans, *live.mode, edit));
    const Result<> changed = co_await change_edited(live, edit, edited.index);
    if (changed) {
      begin_anew(std::move(turn));
      co_return std::optional<BranchEdited>(std::move(edited));
    }
    if (!has_lost_lease(changed)) co_return changed.error();
    CONCERTO_CO_CHECK(co_await pause_for_lease(live, retry));
  }
}

Async<> Requests::change_edited(LiveTrans& live, const BranchEdit& edit, std::uint32_t index) {
  TransDelta delta;
  delta.at = env_.clock.wall_now();
  RowEdit row;
  row.index = index;
  row.url = edit.url;
  row.at = delta.at;
  if (edit.payload) {
    row.payload = static_cast<std::uint32_t>(live.trans.payloads.size());
    delta.new_payloads.push_back(*edit.payload);
  }
  delta.row_edits.push_back(std::move(row));
  delta.schedule = Schedule{reset_interval(live.trans.options, env_.options), delta.at, false};
  CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
  live_.count_bytes(live);
  co_return ok();
}

}  // namespace concerto
