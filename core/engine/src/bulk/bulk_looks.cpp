#include "bulk/bulk_looks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <concerto/base/common_text.hpp>
#include <concerto/base/masked_url.hpp>

#include "bulk/job_run.hpp"
#include "bulk/topic_selection.hpp"
#include "named_rows.hpp"
#include "resets.hpp"
#include "shard_env.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

Error bad_bulk(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

std::string_view age_group(std::chrono::nanoseconds age) {
  using std::chrono::hours;
  using std::chrono::minutes;
  if (age < minutes{1}) return "under 1 minute";
  if (age < minutes{10}) return "1 to 10 minutes";
  if (age < hours{1}) return "10 to 60 minutes";
  return age < hours{24} ? "1 to 24 hours" : "over 24 hours";
}

/// Groups by their values.
class Tally {
 public:
  void add(std::string_view value, const Transaction& trans) {
    auto found = groups_.find(value);
    if (found == groups_.end()) {
      if (groups_.size() == BulkCounts::values_max) {
        is_complete_ = false;
        return;
      }
      found = groups_.try_emplace(std::string(value), BulkCount{std::string(value)}).first;
    }
    BulkCount& group = found->second;
    if (group.count++ == 0 || trans.create_time < group.oldest) group.oldest = trans.create_time;
  }

  void move_to(BulkCounts& counts, std::size_t groups_max) {
    for (auto& [value, group] : groups_) counts.groups.push_back(std::move(group));
    std::ranges::stable_sort(counts.groups, std::ranges::greater{}, &BulkCount::count);
    counts.is_complete = counts.is_complete && is_complete_ && counts.groups.size() <= groups_max;
    if (counts.groups.size() > groups_max) counts.groups.resize(groups_max);
  }

 private:
  std::map<std::string, BulkCount, std::less<>> groups_;
  bool is_complete_ = true;
};

/// What the values of transactions are taken from.
struct ValueSources {
  BulkCountBy by;
  WallTime now;
  const ModeTable& modes;
  TopicsOfUrls topics;
  std::unordered_map<Gid, std::string> errors;
  std::string owner;  ///< of the transaction that is visited
};

void add_topics(const std::set<std::string_view>& topics, const Transaction& trans, Tally& tally) {
  for (const std::string_view topic : topics) tally.add(topic, trans);
  if (topics.empty()) tally.add(no_topic, trans);
}

void add_targets(const ValueSources& sources, const Transaction& trans, Tally& tally) {
  std::set<std::string> urls;
  for (const std::string& url : trouble_urls(trans, sources.modes)) {
    urls.insert(common_text(url, trans.gid.view()));
  }
  for (const std::string& url : urls) tally.add(url, trans);
  if (urls.empty()) tally.add(no_target, trans);
}

void add_values(const ValueSources& sources, const Transaction& trans, Tally& tally) {
  switch (sources.by) {
    case BulkCountBy::status:
      tally.add(to_string(trans.status), trans);
      break;
    case BulkCountBy::type:
      tally.add(sources.modes.name_of(trans.type), trans);
      break;
    case BulkCountBy::age:
      tally.add(age_group(sources.now - trans.create_time), trans);
      break;
    case BulkCountBy::target:
      add_targets(sources, trans, tally);
      break;
    case BulkCountBy::topic:
      add_topics(sources.topics.of(trans), trans, tally);
      break;
    case BulkCountBy::error: {
      const auto found = sources.errors.find(trans.gid);
      const bool is_known = found != sources.errors.end();
      const std::string text = is_known ? found->second : masked_urls(trans.rollback_reason);
      tally.add(common_text(text, trans.gid.view()), trans);
      break;
    }
    case BulkCountBy::owner:
      tally.add(sources.owner.empty() ? no_owner : std::string_view(sources.owner), trans);
      break;
  }
}

/// The row of a skip that check_action allows.
BranchRow meant_row(const BranchRow& asked, const Transaction& trans, const ModeTable& modes) {
  const auto index = skipped_row(trans, *modes.find(trans.type), asked);
  if (!index) return asked;
  const Branch& branch = trans.branches[*index];
  return {branch.branch_id.str(), branch.op};
}

}  // namespace

Result<> check_request(const BulkRequest& request, Store& store) {
  const StatusSet finished{TransStatus::succeed, TransStatus::failed};
  if (request.selection.statuses.has_any_of(finished)) {
    return bad_bulk("status: only prepared, submitted and aborting transactions can be met");
  }
  if (!request.selection.owner.empty() && store.ownership() == nullptr) return no_owners();
  if (request.limit == 0) return bad_bulk("limit: expected 1 or more, found 0");
  if (request.action != BulkAction::skip) return ok();
  if (request.branch.branch_id.empty() || request.branch.op.empty()) {
    return bad_bulk("branchId and op: a skip of many transactions needs both");
  }
  return ok();
}

/// The list itself stays empty, or ends with the second transaction that is accepted.
Async<> BulkLooks::visit(ListFilter filter, BulkSelection selection) const {
  CONCERTO_CO_CHECK(co_await select_topic(coordinator_, selection.topic, filter));
  const Result<TransPage> none =
      co_await coordinator_.list(std::move(filter), {}, 1, std::move(selection.trouble));
  if (!none) co_return none.error();
  co_return ok();
}

Async<BulkPreview> BulkLooks::preview(BulkRequest request) const {
  CONCERTO_CO_CHECK(check_request(request, store_));
  BulkPreview preview;
  preview.is_paused = coordinator_.is_paused();
  CONCERTO_CO_TRY(const HeldUp is_held, co_await coordinator_.held_up());
  ListFilter filter = filter_of(request.selection);
  filter.accepts = [&preview, &request, &is_held, &modes = coordinator_.modes(),
                    most =
                        std::min(request.limit, BulkPreview::met_max)](const Transaction& trans) {
    if (preview.met() < most) {
      preview.meet(request, trans, modes, is_held);
      return false;
    }
    preview.is_complete = most == request.limit;
    return true;
  };
  CONCERTO_CO_CHECK(co_await visit(std::move(filter), request.selection));
  co_return preview;
}

Async<BulkPreview> BulkLooks::preview_pause(Pause pause) const {
  BulkPreview preview;
  Pauses pauses(store_);
  CONCERTO_CO_TRY(const ActivePause active, co_await pauses.activate(std::move(pause)));
  const BulkSelection all;
  ListFilter filter = filter_of(all);
  filter.accepts = [&preview, &active, &modes = coordinator_.modes()](const Transaction& trans) {
    if (!is_held_by(active, trans, modes)) return false;
    preview.is_complete = preview.matched < BulkPreview::met_max;
    if (preview.is_complete) preview.add(trans, modes);
    return !preview.is_complete;
  };
  CONCERTO_CO_CHECK(co_await visit(std::move(filter), all));
  co_return preview;
}

Async<PauseCounts> BulkLooks::waiting_for(std::vector<Pause> pauses) const {
  PauseCounts counts;
  counts.waiting.resize(pauses.size());
  if (pauses.empty()) co_return counts;
  Pauses stored(store_);
  PauseList active;
  for (Pause& pause : pauses) {
    CONCERTO_CO_TRY(ActivePause each, co_await stored.activate(std::move(pause)));
    active.push_back(std::move(each));
  }
  const BulkSelection all;
  ListFilter filter = filter_of(all);
  std::size_t looks = 0;
  filter.accepts = [&, &modes = coordinator_.modes()](const Transaction& trans) {
    counts.is_complete = looks++ < PauseCounts::looks_max;
    for (std::size_t i = 0; counts.is_complete && i < active.size(); ++i) {
      if (is_held_by(active[i], trans, modes)) ++counts.waiting[i];
    }
    return !counts.is_complete;
  };
  CONCERTO_CO_CHECK(co_await visit(std::move(filter), all));
  co_return counts;
}

Async<BulkCounts> BulkLooks::count(BulkSelection selection, BulkCountBy by,
                                   std::size_t groups_max) const {
  BulkRequest request;
  request.selection = selection;
  CONCERTO_CO_CHECK(check_request(request, store_));
  ValueSources sources{by, clock_.wall_now(), coordinator_.modes(), {}, {}, {}};
  ListFilter filter = filter_of(selection);
  if (by == BulkCountBy::topic) {
    CONCERTO_CO_CHECK(co_await sources.topics.read(coordinator_));
  } else if (by == BulkCountBy::error) {
    sources.errors = co_await coordinator_.last_errors();
  } else if (by == BulkCountBy::owner) {
    filter.accepts_owner = [&sources, own = filter.accepts_owner](std::string_view owner) {
      sources.owner = owner;
      return !own || own(owner);
    };
  }
  BulkCounts counts;
  Tally tally;
  filter.accepts = [&](const Transaction& trans) {
    counts.is_complete = counts.total < BulkCounts::total_max;
    if (!counts.is_complete) return true;
    ++counts.total;
    add_values(sources, trans, tally);
    return false;
  };
  CONCERTO_CO_CHECK(co_await visit(std::move(filter), std::move(selection)));
  tally.move_to(counts, groups_max);
  co_return counts;
}

void BulkPreview::add(const Transaction& trans, const ModeTable& modes) {
  ++matched;
  if (sample.size() == sample_max) return;
  urls.push_back(trouble_urls(trans, modes));
  Transaction& shown = sample.emplace_back(trans);
  shown.branches.clear();
  shown.payloads.clear();
}

void BulkPreview::add_refused(Gid gid, std::string why) {
  ++refused;
  if (failures.size() < failures_max) failures.push_back({std::move(gid), std::move(why)});
}

void BulkPreview::meet(const BulkRequest& request, const Transaction& trans,
                       const ModeTable& modes) {
  const Result<> may = check_action(request, trans, modes);
  if (may) {
    const bool has_row = request.action == BulkAction::skip && sample.size() < sample_max;
    if (has_row) rows.push_back(meant_row(request.branch, trans, modes));
    add(trans, modes);
  } else {
    add_refused(trans.gid, may.error().detail);
  }
}

void BulkPreview::meet(const BulkRequest& request, const Transaction& trans, const ModeTable& modes,
                       const HeldUp& is_held) {
  const std::size_t before = matched;
  meet(request, trans, modes);
  const bool is_retried = matched > before && request.action == BulkAction::retry;
  if (is_retried && is_held && is_held(trans)) ++held;
}

Async<BulkPreview> preview_named(Coordinator& coordinator, BulkRequest request,
                                 std::vector<Gid> gids) {
  BulkPreview preview;
  preview.is_paused = coordinator.is_paused();
  CONCERTO_CO_TRY(const HeldUp is_held, co_await coordinator.held_up());
  std::unordered_set<Gid> met;
  for (Gid& gid : gids) {
    if (!met.insert(gid).second) continue;
    const Result<std::optional<Transaction>> found = co_await coordinator.query(gid);
    if (!found) {
      if (concerns_all(found.error().code)) co_return found.error();
      preview.add_refused(gid, found.error().detail);
    } else if (*found) {
      preview.meet(request, **found, coordinator.modes(), is_held);
    } else {
      preview.add_refused(gid, "no TransGlobal with gid: " + gid.str() + " found");
    }
  }
  co_return preview;
}

}  // namespace concerto
