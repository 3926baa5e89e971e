#include "requests.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

#include "request_parts.hpp"
#include "sendable.hpp"
#include "thrown.hpp"

namespace concerto {

using std::chrono::seconds;

namespace {

/// Whether a transaction that could not be created may exist: then the request is about that one.
bool may_exist(const Error& error) {
  return error.code == EngineErrc::gid_exists || error.code == Errc::overloaded;
}

bool names_topics(const TransRequest& request) {
  return std::any_of(request.steps.begin(), request.steps.end(),
                     [](const Step& step) { return topic_of(step.action).has_value(); });
}

}  // namespace

Requests::Requests(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes,
                   StoreTrouble& trouble, Changes& changes, Passes& passes, Journal& journal,
                   Patience& patience)
    : env_(env),
      live_(live),
      loader_(loader),
      wakes_(wakes),
      trouble_(trouble),
      changes_(changes),
      passes_(passes),
      journal_(journal),
      patience_(patience),
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

/// Checks whether there is room for a new transaction, and fills in what it has at its start.
Result<> Requests::begin_create(LiveTrans& live, Draft& draft, TransStatus status) const {
  CONCERTO_ASSERT(live.turn.is_taken && live.knowledge != LiveTrans::Knowledge::present);
  if (env_.stopping) return shutting_down();
  CONCERTO_CHECK(admit(live, draft));
  Transaction& trans = draft.trans;
  const WallTime now = env_.clock.wall_now();
  trans.status = status;
  trans.create_time = trans.update_time = now;
  if (status == TransStatus::submitted) trans.submit_time = now;
  trans.next_cron_interval = reset_interval(trans.options, env_.options);
  trans.next_cron_time = now + trans.next_cron_interval;
  trans.waits = is_resumed(*draft.mode);  // Until then the application works on it.
  for (Branch& branch : trans.branches) branch.create_time = branch.update_time = now;
  keep_trace(draft);
  if (env_.ownership != nullptr) {
    live.lease_end = {};
    if (status == TransStatus::prepared) trans.next_cron_time = prepared_until(draft);
  }
  return ok();
}

/// Takes a new transaction into memory. `sent`: when the store was asked to create it.
void Requests::end_create(LiveTrans& live, Draft& draft, SteadyTime sent) {
  if (env_.ownership != nullptr && draft.trans.status != TransStatus::prepared) {
    live.lease_end = sent + env_.ownership->lease();
  }
  loader_.add_new(live, std::move(draft.trans), std::move(draft.custom), *draft.mode);
  loader_.arm_timeout(live);
  if (is_resumed(*live.mode)) {
    wakes_.set_next_pass(live.gid, env_.now() + live.trans.next_cron_interval);
  }
}

/// When a coordinator looks at a transaction that its application does not submit.
WallTime Requests::prepared_until(const Draft& draft) const {
  const Transaction& trans = draft.trans;
  const seconds timeout = env_.timeout_of(trans.options.timeout_to_fail, *draft.mode);
  if (is_resumed(*draft.mode)) return trans.next_cron_time;
  const bool times_out = draft.mode->times_out_in == TransStatus::prepared && timeout.count() > 0;
  return trans.create_time + (times_out ? timeout : env_.options.backoff_max);
}

/// Whether the transaction of a submit was probably prepared before. Then claiming it first costs
/// less than trying to create it. Any other submit creates, which is all that a new transaction
/// costs.
bool Requests::is_probably_known(const Draft& draft) const {
  const bool registers = draft.mode->register_branch != nullptr;
  return registers || !draft.trans.query_prepared.empty() ||
         wakes_.alarms().type_of(draft.trans.gid).has_value();
}

/// True if the transaction is new. An existing transaction is loaded, also when new ones are
/// refused.
Async<bool> Requests::create_or_load(LiveTrans& live, Draft& draft, TransStatus status) {
  if (loader_.is_current(live) && live.knowledge == LiveTrans::Knowledge::present) co_return false;
  if (env_.ownership != nullptr) live.knowledge = LiveTrans::Knowledge::none;
  const bool submits = status == TransStatus::submitted;
  if (submits && env_.ownership != nullptr && is_probably_known(draft)) {
    CONCERTO_CO_CHECK(co_await loader_.load(live, taken_prepared));
    if (live.knowledge != LiveTrans::Knowledge::absent) co_return false;
  }
  const bool is_nameless = is_resumed(*draft.mode) && draft.custom.name.empty();
  Result<> created = make_error(Errc::invalid_request, "custom_data: name is missing");
  if (!is_nameless) created = begin_create(live, draft, status);
  if (created) {
    const Change change{CreateTrans{&draft.trans}, Durability::durable};
    SteadyTime sent{};
    const auto span = tracing_.begin_commit(draft.trace);
    for (StoreRetry retry(new_trans_patience);;) {
      if (env_.ownership != nullptr) sent = env_.now();
      try {
        created = co_await env_.store.commit(change);
      } catch (...) {
        created = make_error(EngineErrc::store_failed, thrown_by("the store"));
      }
      if (created) break;
      const auto again = trouble_.try_again_at(live, created, retry);
      if (!again) break;
      co_await trouble_.pause_for_store(live, *again);
    }
    tracing_.end_commit(span, live.gid, *draft.mode, created);
    if (created) {
      end_create(live, draft, sent);
      co_return true;
    }
    forget_trace(draft);
    live.knowledge = LiveTrans::Knowledge::none;
    trouble_.find_out_later(live, created.error());
  }
  if (!is_nameless && !may_exist(created.error())) co_return created.error();
  live.knowledge = LiveTrans::Knowledge::none;
  CONCERTO_CO_CHECK(co_await loader_.load(live, submits ? taken_prepared : StatusSet()));
  if (live.knowledge == LiveTrans::Knowledge::absent) co_return created.error();
  co_return false;
}

Async<> Requests::prepare(TransRequest&& request, RequestContext context) {
  Gid gid = request.gid;
  auto span = tracing_.begin("prepare", request, context);
  return tracing_.recorded(std::move(span),
                           bound(std::move(gid), context, create_prepared(std::move(request))));
}

Async<> Requests::create_prepared(TransRequest request) {
  if (names_topics(request)) CONCERTO_CO_CHECK(co_await resolve_topics(request));
  Result<Draft> made =
      make_draft(std::move(request), env_.modes, env_.ports.branches, env_.options.wording);
  if (!made) co_return made.error();
  Draft& draft = *made;
  Turn turn = loader_.enter_if_free(draft.trans.gid);
  if (!turn.holds()) turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await create_or_load(live, draft, TransStatus::prepared));
  if (live.trans.status != TransStatus::prepared) {
    co_return conflict("current status " + quoted(live.trans.status) + ", cannot prepare.");
  }
  co_return ok();
}

Async<Transaction> Requests::prepare_workflow(TransRequest&& request, RequestContext context) {
  Gid gid = request.gid;
  auto span = tracing_.begin("prepareWorkflow", request, context);
  return tracing_.recorded(std::move(span),
                           bound(std::move(gid), context, create_workflow(std::move(request))));
}

Async<Transaction> Requests::create_workflow(TransRequest request) {
  Result<Draft> made =
      make_draft(std::move(request), env_.modes, env_.ports.branches, env_.options.wording);
  if (!made) co_return made.error();
  Draft& draft = *made;
  if (!is_resumed(*draft.mode)) {
    co_return make_error(Errc::invalid_request, "trans_type must be '" +
                                                    env_.modes.names(is_resumed) + "', not '" +
                                                    std::string(draft.mode->name) + "'");
  }
  Turn turn = loader_.enter_if_free(draft.trans.gid);
  if (!turn.holds()) turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  CONCERTO_CO_CHECK(co_await create_or_load(live, draft, TransStatus::prepared));
  if (draft.mode != live.mode) co_return other_type(live, *draft.mode);
  co_return live.trans;
}

Async<> Requests::submit(TransRequest&& request, RequestContext context) {
  Gid gid = request.gid;
  auto span = tracing_.begin("submit", request, context);
  Async<> done = end_submit(bound(std::move(gid), context,
                                  begin_submit(std::make_unique<TransRequest>(std::move(request)))),
                            context);
  return tracing_.recorded(std::move(span), std::move(done));
}

Async<> Requests::end_submit(Async<Begun> begin, RequestContext context) {
  CONCERTO_CO_TRY(const Begun begun, co_await std::move(begin));
  if (!begun.pin.holds()) co_return ok();
  if (begun.is_others) co_return co_await wait_for_others(begun.pin, context.deadline);
  Result<> told = begun.pin->pass_result;
  if (begun.pin->passes == begun.seen) {
    told = co_await passes_.wait_for_pass(begun.pin, begun.seen, context.deadline);
  }
  if (!has_lost_lease(told)) co_return told;
  co_return co_await wait_for_others(begun.pin, context.deadline);
}

Async<Requests::Begun> Requests::begin_submit(std::unique_ptr<TransRequest> owned) {
  TransRequest& request = *owned;
  const bool waits = request.options.wait_result;
  Begun begun;
  if (names_topics(request)) CONCERTO_CO_CHECK(co_await resolve_topics(request));
  Result<Draft> made =
      make_draft(std::move(request), env_.modes, env_.ports.branches, env_.options.wording);
  if (!made) co_return made.error();
  Draft& draft = *made;
  if (is_resumed(*draft.mode)) {
    CONCERTO_CO_CHECK(co_await submit_end(std::move(draft)));
    co_return begun;
  }
  Turn turn = loader_.enter_if_free(draft.trans.gid);
  if (!turn.holds()) turn = co_await loader_.enter(draft.trans.gid);
  LiveTrans& live = *turn;
  Result<> joined = ok();
  for (StoreRetry retry(lease_patience);;) {
    CONCERTO_CO_TRY(const bool is_new,
                    co_await create_or_load(live, draft, TransStatus::submitted));
    if (is_new) break;
    joined = co_await submit_existing(live, draft);
    if (!has_lost_lease(joined)) break;
    CONCERTO_CO_CHECK(co_await pause_for_lease(live, retry));
  }
  if (!joined) co_return joined.error();
  begun.seen = live.passes;
  begun.is_others = is_others(live);
  if (waits) begun.pin = turn.pin();
  if (!begun.is_others) passes_.try_now(std::move(turn));
  co_return begun;
}

Async<> Requests::submit_existing(LiveTrans& live, Draft& draft) {
  CONCERTO_ASSERT(live.turn.is_taken && live.mode != nullptr);
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
  TransOptions options = merged(stored.options, draft.trans.options);
  if (draft.trace) add_trace(options.branch_headers, *draft.trace);
  if (options != stored.options) {
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
  tracing_.look_at(live);
  live.calls.restart(live.trans.branches.size());
  wakes_.cancel(live.gid);
  loader_.arm_timeout(live);
  co_return ok();
}

Async<std::optional<Transaction>> Requests::query(Gid gid) {
  const LiveTrans* live = live_.find(gid);
  const bool shows_memory = live != nullptr && loader_.may_show(*live);
  if (shows_memory && (env_.ownership == nullptr || is_final(live->trans.status))) {
    co_return live->trans;
  }
  CONCERTO_CO_TRY(std::optional<Transaction> found,
                  co_await patience_.bound(gid, Patience::Deed::reads, SteadyTime::max(),
                                           env_.store.load(gid)));
  loader_.look_at(gid, found);
  // Another coordinator may have taken the transaction within the lease. If it has not, memory may
  // have progress that the store does not have yet.
  live = env_.ownership == nullptr ? nullptr : live_.find(gid);
  const bool has_progress =
      live != nullptr && found && loader_.may_show(*live) && has_all_of(live->trans, *found);
  if (has_progress) co_return live->trans;
  co_return found;
}

}  // namespace concerto
