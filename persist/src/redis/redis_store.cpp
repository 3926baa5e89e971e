#include "redis_store.hpp"

#include <utility>

#include "../preconditions.hpp"
#include "../sql/owner_column.hpp"
#include "record_json.hpp"
#include "redis_upkeep.hpp"

namespace concerto::persist {
namespace {

/// What the script `update` answers, as an error of the port.
Result<> outcome_of(const UpdateTrans& update, std::string_view answer) {
  if (answer == "OK") return ok();
  if (answer == "NONE") return trans_not_found(update.gid);
  const auto colon = answer.find(':');
  const std::string_view kind = answer.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : answer.substr(colon + 1);
  const std::string gid = "'" + update.gid.str() + "'";
  if (kind == "LEASE") {
    return make_error(EngineErrc::lease_lost, "another coordinator works on " + gid);
  }
  if (kind == "EXISTS") {
    return make_error(EngineErrc::branch_exists,
                      "branch '" + std::string(rest.substr(0, rest.find(':'))) + "' of " + gid +
                          " has the op '" + std::string(rest.substr(rest.find(':') + 1)) +
                          "' already");
  }
  if (kind == "RANGE") {
    return make_error(Errc::invalid_request, "a branch or payload of " + gid + " does not exist");
  }
  if (const auto stored = trans_status_from(rest); kind == "STATUS" && stored) {
    return status_mismatch(update, *stored);
  }
  return make_error(EngineErrc::store_damaged, std::string(kind == "DAMAGED" ? rest : answer));
}

std::vector<std::string_view> texts_of(Reply list) {
  std::vector<std::string_view> texts;
  texts.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(list[i].text());
  return texts;
}

}  // namespace

Result<std::unique_ptr<RedisStore>> RedisStore::open(RedisOptions options, const Clock& clock,
                                                     Observer& observer) {
  CONCERTO_TRY(auto tls, RedisTlsContext::make(options.access.tls));
  std::unique_ptr<RedisStore> store(
      new RedisStore(std::move(options), std::move(tls), clock, observer));
  CONCERTO_CHECK(store->start());
  return store;
}

RedisStore::RedisStore(RedisOptions options, std::shared_ptr<RedisTlsContext> tls,
                       const Clock& clock, Observer& observer)
    : options_(std::move(options)),
      clock_(clock),
      observer_(observer),
      damaged_(observer),
      commands_(options_.access.prefix, new_node_id(), options_.times, clock),
      standing_(clock, observer) {
  for (std::size_t i = 0; i < gid_lanes + 1; ++i) {
    lanes_.push_back(
        std::make_unique<RedisLane>(options_.access, tls, options_.wait, probe_, standing_));
  }
  std::string place = options_.access.place() + "; this coordinator is " + commands_.node();
  upkeep_ = std::make_unique<RedisUpkeep>(common_lane(), commands_.keys(), options_.wait,
                                          place + " there", damaged_, observer);
}

Result<> RedisStore::start() {
  // Later on the same error is an outage: passwords rotate.
  CONCERTO_CHECK(common_lane().enter());
  for (const auto& lane : lanes_) CONCERTO_CHECK(lane->start());
  upkeep_->look_at_server();  // So that the log says at the start what is promised.
  return upkeep_->start();
}

RedisStore::~RedisStore() {
  close();
}

void RedisStore::begin_stop(SteadyTime until) noexcept {
  for (const auto& lane : lanes_) lane->give_up_after(until - clock_.steady_now());
}

void RedisStore::close() {
  // The upkeep may wait for an answer, which a lane that waits for replicas gives only at its end.
  for (const auto& lane : lanes_) lane->begin_stop();
  for (const auto& lane : lanes_) lane->stop();
  upkeep_->stop();
}

void RedisStore::set_retention(const StoreRetention& retention) {
  commands_.set_retention(retention);
}

Result<> RedisStore::maintain() {
  return upkeep_->run_once();
}

Async<> RedisStore::commit(const Change& change) {
  if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
    return create(*created->trans, false);
  }
  return update(std::get<UpdateTrans>(change.what), change.durability);
}

Async<> RedisStore::create(const Transaction& trans, bool rests) {
  const Gid gid = trans.gid;
  std::string command = commands_.create(trans, rests);
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await lane_of(gid).ask(std::move(command), Deed::creates));
  const std::string_view answer = Reply{reply.get()}.text();
  if (answer == "OK") co_return ok();
  if (const auto why = damage_in(answer)) co_return damaged_.trans(gid.view(), *why);
  co_return gid_exists(gid);
}

Async<> RedisStore::update(const UpdateTrans& update, Durability durability) {
  RedisLane& lane = lane_of(update.gid);
  std::string command = commands_.update(update);
  if (durability == Durability::progress) {
    co_return lane.put(std::move(command), Deed::changes);
  }
  CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane.ask(std::move(command), Deed::changes));
  const std::string_view answer = Reply{reply.get()}.text();
  if (const auto why = damage_in(answer)) co_return damaged_.trans(update.gid.view(), *why);
  co_return outcome_of(update, answer);
}

/// Notes a transaction that cannot be read, and one that can be read again.
Result<Transaction> RedisStore::told(const Gid& gid, Result<Transaction> read) {
  if (!read) return damaged_.trans(gid.view(), read.error().detail);
  damaged_.is_sound(gid.view());
  return read;
}

Async<std::optional<Transaction>> RedisStore::load(Gid gid) {
  std::string command = commands_.load(gid);
  CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane_of(gid).ask(std::move(command), Deed::reads));
  co_return co_await loaded(std::move(gid), Reply{reply.get()});
}

/// What the script `load` has answered.
Async<std::optional<Transaction>> RedisStore::loaded(Gid gid, Reply answer) {
  std::optional<Transaction> found;
  if (answer.size() == 1) co_return damaged_.trans(gid.view(), answer[0].text());
  if (answer.size() > 1) {
    Result<Transaction> trans = trans_of(answer[0].text(), texts_of(answer[1]));
    if (!trans) {
      const Result<> told = co_await damage(std::move(gid), trans.error());
      co_return told.error();
    }
    found = std::move(*trans);
  }
  damaged_.is_sound(gid.view());
  if (found) found->gid = std::move(gid);
  co_return found;
}

/// Says which key is damaged, if the scripts find it too. They have a short way for what ends as a
/// sound transaction does.
Async<> RedisStore::damage(Gid gid, Error found) {
  std::string command = commands_.check(gid);
  CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane_of(gid).ask(std::move(command), Deed::reads));
  const Reply answer{reply.get()};
  const bool is_named = answer.size() == 1;
  co_return damaged_.trans(gid.view(),
                           is_named ? answer[0].text() : std::string_view(found.detail));
}

namespace {

/// A transaction as a claim's script shows it: {record, score, time, owner, branches, gid}.
Result<Transaction> claimed_of(Reply shown, const Clock& clock) {
  CONCERTO_TRY(Transaction trans, trans_of(shown[0].text(), texts_of(shown[4])));
  trans.gid = Gid{std::string(shown[5].text())};
  const double score = std::strtod(std::string(shown[1].text()).c_str(), nullptr);
  const double now = std::strtod(std::string(shown[2].text()).c_str(), nullptr);
  const std::string_view holder = shown[3].text();
  const bool waited = holder == "nobody";
  trans.waits = waited || (holder == "reference" && score <= now);
  if (holder == "me" || holder == "other") return trans;
  // The score counts, by Redis's clock. The record has the more exact time if both are the same.
  const auto left = std::chrono::duration<double>(score - now);
  const WallTime due =
      clock.wall_now() + std::chrono::duration_cast<std::chrono::nanoseconds>(left);
  constexpr std::chrono::seconds rounding{2};
  const auto apart = due - trans.next_cron_time;
  if (apart > rounding || apart < -rounding) trans.next_cron_time = due;
  return trans;
}

}  // namespace

Async<Claimed> RedisStore::claim(Gid gid, Claim how) {
  std::string command = commands_.claim(gid, how);
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await lane_of(gid).ask(std::move(command), Deed::claims));
  const Reply answer{reply.get()};
  Claimed claimed;
  if (answer.size() == 1) co_return damaged_.trans(gid.view(), answer[0].text());
  if (answer.size() == 0) {
    damaged_.is_sound(gid.view());
    co_return claimed;
  }
  claimed.is_ours = answer[0].number() == 1;
  Result<Transaction> trans = claimed_of(answer[1], clock_);
  if (!trans) {
    if (claimed.is_ours) let_rest(gid);
    const Result<> told = co_await damage(std::move(gid), trans.error());
    co_return told.error();
  }
  damaged_.is_sound(gid.view());
  claimed.trans = std::move(*trans);
  co_return claimed;
}

/// For a transaction that the script has claimed and that cannot be read here.
void RedisStore::let_rest(const Gid& gid) {
  constexpr std::chrono::seconds rest{60};
  const Result<> gone =
      lane_of(gid).put(commands_.let_go(gid, clock_.wall_now() + rest), Deed::changes);
  ignore_error(gone, "the lease runs out");
}

/// What a claim of due ones says of something else than a transaction. An error if the schedule
/// itself is damaged.
Result<> RedisStore::note_unclaimed(Reply entry) {
  const std::string_view gid = entry[0].text();
  if (entry.size() == 1) {
    observer_.log(LogLevel::warn, gid,
                  "was in the schedule without a record, which was removed or has expired; it is "
                  "no longer in the schedule");
    return ok();
  }
  if (!gid.empty()) {
    damaged_.trans(gid, entry[1].text());
    return ok();
  }
  schedule_is_damaged_ = true;
  return damaged_.other("the schedule", entry[1].text());
}

/// As CommitLanes::settle_all, for lanes that answer in their order.
Async<> RedisStore::settle_all() {
  for (std::size_t i = 0; i < gid_lanes; ++i) {
    std::string command;
    append_command(command, {"PING"});
    CONCERTO_CO_CHECK(co_await lanes_[i]->ask(std::move(command), Deed::reads));
  }
  co_return ok();
}

/// While Redis needs long for what is queued, nothing more is claimed: the leases would end before
/// their transactions go on.
Async<std::vector<Transaction>> RedisStore::claim_due(std::size_t limit) {
  // A script holds up all other commands, so one call takes a few only.
  constexpr std::size_t at_once = 64;
  const SteadyTime until = clock_.steady_now() + commands_.lease() / 4;
  CONCERTO_CO_CHECK(co_await settle_all());
  std::vector<Transaction> claimed;
  TakenOver taken;
  while (claimed.size() < limit && clock_.steady_now() < until) {
    const std::size_t asked = std::min(at_once, limit - claimed.size());
    std::string command = commands_.claim_due(asked);
    auto reply = co_await common_lane().ask(std::move(command), Deed::claims);
    if (!reply) {
      if (claimed.empty()) co_return std::move(reply).error();
      break;
    }
    const Reply answer{reply->get()};
    for (std::size_t i = 0; i < answer.size(); ++i) {
      const Reply shown = answer[i];
      if (shown.size() <= 2) {
        CONCERTO_CO_CHECK(note_unclaimed(shown));
        continue;
      }
      const Gid gid{std::string(shown[5].text())};
      if (shown[3].text() == "other") taken.add(owner_in(shown[0].text()));
      auto trans = told(gid, claimed_of(shown, clock_));
      if (trans) {
        claimed.push_back(std::move(*trans));
      } else {
        let_rest(gid);
      }
    }
    if (schedule_is_damaged_.exchange(false)) damaged_.is_sound("the schedule");
    if (answer.size() < asked) break;
  }
  if (const std::string line = taken.line(); !line.empty()) observer_.log(LogLevel::info, "", line);
  co_return claimed;
}

Async<std::vector<Gid>> RedisStore::renew(std::vector<Gid> gids) {
  constexpr std::size_t at_once = 256;  // Each call waits for the scripts of all other lanes.
  std::vector<Gid> lost;
  for (std::size_t begin = 0; begin < gids.size(); begin += at_once) {
    const std::span<const Gid> all{gids};
    const auto some = all.subspan(begin, std::min(at_once, gids.size() - begin));
    std::string command = commands_.renew(some);
    CONCERTO_CO_TRY(const ReplyPtr reply,
                    co_await common_lane().ask(std::move(command), Deed::claims));
    for (const std::string_view gid : texts_of(Reply{reply.get()})) {
      lost.emplace_back(std::string(gid));
    }
  }
  co_return lost;
}

Async<> RedisStore::let_go(Gid gid, WallTime until) {
  std::string command = commands_.let_go(gid, until);
  CONCERTO_CO_CHECK(co_await lane_of(gid).ask(std::move(command), Deed::changes));
  co_return ok();
}

Async<std::optional<Owner>> RedisStore::owner_of(Gid gid) {
  std::string command = commands_.owner_of(gid);
  CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane_of(gid).ask(std::move(command), Deed::reads));
  co_return owner_told(Reply{reply.get()});
}

std::optional<Owner> RedisStore::owner_told(Reply answer) const {
  std::optional<Owner> owner;
  if (answer.size() < 3) return owner;
  const double left = std::strtod(std::string(answer[2].text()).c_str(), nullptr);
  owner.emplace();
  owner->id = answer[1].text();
  owner->is_this = answer[0].text() == "me";
  owner->is_coordinator = answer[0].text() != "reference";
  owner->until = clock_.wall_now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                         std::chrono::duration<double>(left));
  return owner;
}

Async<std::vector<Gid>> RedisStore::resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                            std::size_t limit) {
  // A script holds up all other commands, so one call looks at some only. The next one goes on from
  // the last time: others may take and put back what has an earlier place.
  constexpr std::size_t at_once = 256;
  std::vector<Gid> gids;
  std::string farthest = "+inf";
  std::size_t left_out = 0;
  while (gids.size() < limit) {
    std::string command = commands_.resting(beyond, farthest, left_out, at_once);
    CONCERTO_CO_TRY(const ReplyPtr reply,
                    co_await common_lane().ask(std::move(command), Deed::reads));
    const Reply answer{reply.get()};
    for (std::size_t i = 3; i + 1 < answer.size() && gids.size() < limit; i += 2) {
      const auto changed = parse_time(answer[i + 1].text());
      if (!changed || *changed <= unchanged_since) {
        gids.emplace_back(std::string(answer[i].text()));
      }
    }
    const auto seen = static_cast<std::size_t>(answer[0].number().value_or(0));
    if (seen < at_once) break;
    const std::string_view last = answer[1].text();
    const auto same = static_cast<std::size_t>(answer[2].number().value_or(0));
    left_out = same + (last == farthest ? left_out : 0);
    farthest = last;
  }
  co_return gids;
}

}  // namespace concerto::persist
