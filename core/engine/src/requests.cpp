#include "requests.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

#include "operator_log.hpp"
#include "sendable.hpp"

namespace concerto {

using std::chrono::seconds;

namespace {

/// FAILURE-class errors end in the word that old clients look for (page 01, section 5).
Error conflict(std::string text) {
  return make_error(EngineErrc::status_conflict, std::move(text) + " FAILURE");
}

std::string quoted(TransStatus status) {
  return "'" + std::string(to_string(status)) + "'";
}

std::size_t payload_bytes(const Transaction& trans) noexcept {
  std::size_t bytes = 0;
  for (const std::string& payload : trans.payloads) bytes += payload.size();
  return bytes;
}

Error other_type(const LiveTrans& stored, const Mode& named) {
  return conflict("gid " + stored.gid.str() + " is of type " + std::string(stored.mode->name) +
                  ", not " + std::string(named.name) + ".");
}

/// Whether one of `rows` has the (branch_id, op) of a stored branch.
bool any_exists(const std::vector<Branch>& stored, const std::vector<Branch>& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const Branch& row) {
    return std::any_of(stored.begin(), stored.end(), [&](const Branch& branch) {
      return branch.branch_id == row.branch_id && branch.op == row.op;
    });
  });
}

bool names_topics(const TransRequest& request) {
  return std::any_of(request.steps.begin(), request.steps.end(),
                     [](const Step& step) { return topic_of(step.action).has_value(); });
}

}  // namespace

Requests::Requests(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes,
                   StoreTrouble& trouble, Changes& changes, Passes& passes)
    : env_(env),
      live_(live),
      loader_(loader),
      wakes_(wakes),
      trouble_(trouble),
      changes_(changes),
      passes_(passes),
      topics_(env.store, env.clock, env.ports.branches, env.options.wording) {}

Async<> Requests::resolve_topics(TransRequest& request) {
  for (const Step& step : request.steps) {
    const auto topic = topic_of(step.action);
    if (!topic || request.topics.contains(*topic)) continue;
    std::string name(*topic);
    CONCERTO_CO_TRY(std::vector<std::string> urls, co_await topics_.subscribers(name));
    request.topics.emplace(std::move(name), std::move(urls));
  }
  co_return ok();
}

Result<> Requests::admit(const LiveTrans& live, const Draft& draft) const {
  const std::size_t bytes = live_.bytes() + payload_bytes(draft.trans);
  // `live_` has the new transaction already.
  const CoordinatorLimits& limits = env_.options;
  if (live_.size() <= limits.in_flight_max && bytes <= limits.in_flight_bytes_max) return ok();
  return make_error(Errc::overloaded, "too many transactions in flight: gid " + live.gid.str() +
                                          " is refused, try again later");
}

Async<> Requests::create(LiveTrans& live, Draft& draft, TransStatus status) {
  CONCERTO_ASSERT(live.turn.is_taken && live.knowledge != LiveTrans::Knowledge::present);
  if (env_.stopping) co_return shutting_down();
  CONCERTO_CO_CHECK(admit(live, draft));
  Transaction& trans = draft.trans;
  const WallTime now = env_.clock.wall_now();
  trans.status = status;
  trans.create_time = trans.update_time = now;
  if (status == TransStatus::submitted) trans.submit_time = now;
  trans.next_cron_interval = reset_interval(trans.options, env_.options);
  trans.next_cron_time = now + trans.next_cron_interval;
  trans.waits = is_resumed(*draft.mode);  // Until then the application works on it.
  for (Branch& branch : trans.branches) branch.create_time = branch.update_time = now;
  for (StoreRetry retry(new_trans_patience);;) {
    Change change;
    change.what = CreateTrans{&trans};
    const Result<> created = co_await env_.store.commit(std::move(change));
    if (created) break;
    const auto again = trouble_.try_again_at(live, created, retry);
    if (!again) {
      live.knowledge = LiveTrans::Knowledge::none;
      trouble_.find_out_later(live.gid, created.error());
      co_return created;
    }
    co_await trouble_.pause_for_store(live, *again);
  }
  loader_.add_new(live, std::move(trans), std::move(draft.custom), *draft.mode);
  loader_.arm_timeout(live);
  if (is_resumed(*live.mode)) {
    wakes_.set_next_pass(live.gid, env_.now() + live.trans.next_cron_interval);
  }
  co_return ok();
}

/// True if the transaction is new. An existing transaction is loaded, also when new ones are
/// refused.
Async<bool> Requests::create_or_load(LiveTrans& live, Draft& draft, TransStatus status) {
  if (live.knowledge == LiveTrans::Knowledge::present) co_return false;
  Result<> created = make_error(Errc::invalid_request, "custom_data: name is missing");
  const bool is_nameless = is_resumed(*draft.mode) && draft.custom.name.empty();
  if (!is_nameless) {
    created = co_await create(live, draft, status);
    if (created) co_return true;
    const error_code code = created.error().code;
    if (code != EngineErrc::gid_exists && code != Errc::overloaded) co_return created.error();
  }
  live.knowledge = LiveTrans::Knowledge::none;
  CONCERTO_CO_CHECK(co_await loader_.load(live));
  if (live.knowledge != LiveTrans::Knowledge::present) co_return created.error();
  co_return false;
}

Async<> Requests::prepare(TransRequest request) {
  if (names_topics(request)) CONCERTO_CO_CHECK(co_await resolve_topics(request));
  CONCERTO_CO_TRY(Draft draft, make_draft(std::move(request), env_.modes, env_.ports.branches,
                                          env_.options.wording));
  Turn turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await create_or_load(live, draft, TransStatus::prepared));
  if (live.trans.status != TransStatus::prepared) {
    co_return conflict("current status " + quoted(live.trans.status) + ", cannot prepare.");
  }
  co_return ok();
}

Async<Transaction> Requests::prepare_workflow(TransRequest request) {
  CONCERTO_CO_TRY(Draft draft, make_draft(std::move(request), env_.modes, env_.ports.branches,
                                          env_.options.wording));
  if (!is_resumed(*draft.mode)) {
    co_return make_error(Errc::invalid_request, "trans_type must be '" +
                                                    env_.modes.names(is_resumed) + "', not '" +
                                                    std::string(draft.mode->name) + "'");
  }
  Turn turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await create_or_load(live, draft, TransStatus::prepared));
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  co_return live.trans;
}

Async<> Requests::submit(TransRequest request, RequestContext context) {
  const bool waits = request.options.wait_result;
  if (names_topics(request)) CONCERTO_CO_CHECK(co_await resolve_topics(request));
  CONCERTO_CO_TRY(Draft draft, make_draft(std::move(request), env_.modes, env_.ports.branches,
                                          env_.options.wording));
  if (is_resumed(*draft.mode)) {
    co_return co_await submit_end(std::move(draft));
  }
  Turn turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_TRY(const bool is_new, co_await create_or_load(live, draft, TransStatus::submitted));
  if (!is_new) CONCERTO_CO_CHECK(co_await submit_existing(live, draft));
  const std::uint64_t seen = live.passes;
  passes_.try_now(live);
  if (!waits) co_return ok();
  Pin pin = turn.pin();
  turn.release();
  co_return co_await passes_.wait_for_pass(std::move(pin), seen, context.deadline);
}

Async<> Requests::submit_existing(LiveTrans& live, Draft& draft) {
  CONCERTO_ASSERT(live.turn.is_taken && live.knowledge == LiveTrans::Knowledge::present);
  if (env_.stopping) co_return shutting_down();
  const Transaction& stored = live.trans;
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  if (stored.status == TransStatus::submitted) co_return ok();
  if (stored.status != TransStatus::prepared) {
    co_return conflict("current status " + quoted(stored.status) + ", " +
                       std::string(env_.options.wording.cannot_submit));
  }
  TransDelta delta;
  delta.status = TransStatus::submitted;
  delta.at = env_.clock.wall_now();
  delta.submit_time = delta.at;
  if (auto options = merged(stored.options, draft.trans.options); options != stored.options) {
    // The new headers are sent to the stored URLs.
    if (options.branch_headers != stored.options.branch_headers) {
      Transaction changed = stored;
      changed.options = options;
      CONCERTO_CO_CHECK(check_sendable(env_.ports.branches, *live.mode, changed, live.custom));
    }
    delta.options = std::move(options);
  }
  if (!draft.trans.custom_data.empty()) {
    CONCERTO_CO_TRY(draft.custom, parse_custom_data(*live.mode, draft.trans.custom_data, stored));
    delta.custom_data = draft.trans.custom_data;
  }
  const bool new_custom = delta.custom_data.has_value();
  CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
  if (new_custom) live.custom = std::move(draft.custom);
  live.calls.restart(live.trans.branches.size());
  wakes_.cancel(live.gid);
  loader_.arm_timeout(live);
  co_return ok();
}

/// The submit of a workflow. Its application has done the work, so no pass follows.
Async<> Requests::submit_end(Draft draft) {
  CONCERTO_CO_TRY(StatusChange end, submitted_end(std::move(draft.extra)));
  Turn turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await loader_.load(live));
  const bool is_open =
      live.knowledge == LiveTrans::Knowledge::present && live.trans.status == TransStatus::prepared;
  if (!is_open) co_return make_error(EngineErrc::trans_not_found, "storage: NotFound");
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  if (env_.stopping) co_return shutting_down();
  co_return co_await changes_.change_status(live, std::move(end));
}

Async<> Requests::register_branch(BranchRequest request) {
  CONCERTO_CO_TRY(BranchDraft draft, make_branch_draft(request, env_.modes, env_.options.wording));
  Turn turn = co_await loader_.enter(request.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await loader_.load(live));
  const Transaction& stored = live.trans;
  if (live.knowledge != LiveTrans::Knowledge::present || stored.status != TransStatus::prepared) {
    co_return conflict("no trans with gid: " + live.gid.str() + " status: prepared found");
  }
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  if (any_exists(stored.branches, draft.rows)) {
    co_return make_error(EngineErrc::branch_exists, "storage: UniqueKeyConflict");
  }
  if (stored.branches.size() + draft.rows.size() > branches_max) {
    co_return make_error(EngineErrc::invalid_entry,
                         "gid " + live.gid.str() + " has " +
                             std::to_string(stored.branches.size()) + " branch rows, at most " +
                             std::to_string(branches_max) + " are allowed");
  }
  if (payload_bytes(stored) + request.payload.size() > registered_bytes_max) {
    co_return make_error(EngineErrc::invalid_entry,
                         "the branches of gid " + live.gid.str() + " would have more than " +
                             std::to_string(registered_bytes_max) + " bytes of data");
  }
  CONCERTO_CO_CHECK(
      check_sendable(env_.ports.branches, *live.mode, stored, draft.rows, request.payload));
  if (env_.stopping) co_return shutting_down();
  TransDelta delta;
  const WallTime now = env_.clock.wall_now();
  for (Branch& row : draft.rows) {
    row.payload = static_cast<std::uint32_t>(stored.payloads.size());
    row.create_time = row.update_time = now;
  }
  delta.new_payloads.push_back(std::move(request.payload));
  delta.new_branches = std::move(draft.rows);
  CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
  live.calls.restart(live.trans.branches.size());
  live_.count_bytes(live);
  co_return ok();
}

Async<> Requests::abort(TransRequest request, RequestContext context) {
  CONCERTO_CO_CHECK(check_gid(request.gid));
  CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(request.gid));
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await begin_abort(live, std::move(request.rollback_reason)));
  if (is_final(live.trans.status)) co_return ok();
  const std::uint64_t seen = live.passes;
  passes_.try_now(live);
  if (!live.trans.options.wait_result) co_return ok();
  Pin pin = turn.pin();
  turn.release();
  const Result<> result = co_await passes_.wait_for_pass(pin, seen, context.deadline);
  // For a submit a failed transaction is an error. It is what an abort asks for.
  if (pin->trans.status == TransStatus::failed) co_return ok();
  co_return result;
}

Async<> Requests::begin_abort(LiveTrans& live, std::string reason) {
  const TransStatus status = live.trans.status;
  const auto aborts_to = live.mode->aborts_to;
  if (aborts_to && status == TransStatus::prepared) {
    StatusChange change{*aborts_to, std::move(reason)};
    co_return co_await changes_.change_status(live, std::move(change));
  }
  if (aborts_to && !is_final(status) && status == *aborts_to) {
    if (reason.empty() || reason == live.trans.rollback_reason) co_return ok();
    TransDelta delta;
    delta.rollback_reason = truncated_reason(std::move(reason));
    co_return co_await changes_.commit(live, std::move(delta), Durability::durable);
  }
  co_return conflict("trans type: '" + std::string(live.mode->name) + "' current status " +
                     quoted(status) + ", cannot abort.");
}

Async<> Requests::force_stop(Gid gid, RequestContext context) {
  const Result<> done = co_await end_by_force(gid);
  tell_operator(env_.ports.observer, LogLevel::warn, gid.view(), "force stop", context, done);
  co_return done;
}

Async<> Requests::try_now(Gid gid, RequestContext context) {
  const Result<> done = co_await reset_next_cron_time(gid);
  tell_operator(env_.ports.observer, LogLevel::info, gid.view(), "try now", context, done);
  co_return done;
}

Async<> Requests::end_by_force(Gid gid) {
  CONCERTO_CO_CHECK(check_gid(gid));
  CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(std::move(gid)));
  LiveTrans& live = *turn;
  if (is_final(live.trans.status)) {
    co_return conflict("global transaction force stop error. status: " +
                       std::string(to_string(live.trans.status)) + ". error:");
  }
  StatusChange change{TransStatus::failed, {}};
  CONCERTO_CO_CHECK(co_await changes_.change_status(live, std::move(change)));
  // Waiters need not wait for a call that may still run.
  if (live.is_driven()) passes_.tell_waiters_now(live);
  co_return ok();
}

Async<> Requests::reset_next_cron_time(Gid gid) {
  CONCERTO_CO_CHECK(check_gid(gid));
  CONCERTO_CO_TRY(Turn turn, co_await loader_.enter_existing(std::move(gid)));
  LiveTrans& live = *turn;
  if (env_.stopping) co_return shutting_down();
  TransDelta delta;
  delta.at = env_.clock.wall_now();
  if (is_final(live.trans.status)) {
    // As in the reference: the new time is shown, and nothing happens at that time.
    delta.schedule = Schedule{live.trans.next_cron_interval, delta.at, live.trans.waits};
    co_return co_await changes_.commit(live, std::move(delta), Durability::durable);
  }
  // A prepared transaction waits only after its timeout.
  live.timed_out |= live.trans.status == TransStatus::prepared && live.trans.waits;
  const seconds interval = reset_interval(live.trans.options, env_.options);
  delta.schedule = Schedule{interval, delta.at, false};
  CONCERTO_CO_CHECK(co_await changes_.commit(live, std::move(delta), Durability::durable));
  using State = LiveTrans::State;
  if (live.is_driven() && live.state() != State::repeating) live.enter(State::repeating);
  passes_.try_now(live);
  co_return ok();
}

Async<std::optional<Transaction>> Requests::query(Gid gid) {
  const LiveTrans* live = live_.find(gid);
  if (live != nullptr && live->knowledge == LiveTrans::Knowledge::present) co_return live->trans;
  co_return co_await env_.store.load(std::move(gid));
}

}  // namespace concerto
