#include "bulk/job_run.hpp"

#include <algorithm>
#include <utility>

#include "named_rows.hpp"
#include "request_parts.hpp"
#include "resets.hpp"
#include "shard_env.hpp"
#include "stored_rows.hpp"

namespace concerto {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t page_transactions = 1'000;
/// How many transactions of a page are acted on at a time.
constexpr std::size_t acts_at_once = 512;
/// A retry brings its transaction into memory for the length of its calls.
constexpr std::size_t live_max = 20'000;
/// A retry ends in a change for which nobody waits. Other callers' changes are queued behind it.
constexpr std::size_t queued_changes_max = 4'096;
constexpr milliseconds room_pause{10};
constexpr milliseconds trouble_pause{1'000};
/// How often a page that takes long shows its progress, and that its coordinator lives.
constexpr milliseconds progress_interval{1'000};

/// Whether a list that ended in this error would end so again.
bool is_lasting(const error_code& code) {
  return !concerns_all(code) && code != Errc::overloaded;
}

/// Whether the transaction is as the action leaves it. A retry is not refused for that.
bool has_effect(const BulkRequest& request, const Transaction& trans) {
  switch (request.action) {
    case BulkAction::retry:
      return false;
    case BulkAction::stop:
      return trans.status == TransStatus::failed;
    case BulkAction::skip:
      break;
  }
  return std::ranges::any_of(trans.branches, [&request](const Branch& branch) {
    return branch.branch_id.view() == request.branch.branch_id && branch.op == request.branch.op &&
           branch.status == BranchStatus::succeed;
  });
}

}  // namespace

ListFilter filter_of(const BulkSelection& selection) {
  ListFilter filter;
  for (const TransStatus status :
       {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting}) {
    if (selection.statuses.empty() || selection.statuses.contains(status)) {
      filter.statuses.insert(status);
    }
  }
  filter.type = selection.type;
  filter.created_from = selection.created_from;
  filter.created_to = selection.created_to;
  select_owner(selection.owner, filter);
  return filter;
}

void select_owner(const std::string& name, ListFilter& filter) {
  if (name.empty()) return;
  const std::string wanted = name == no_owner ? std::string() : name;
  filter.accepts_owner = [wanted](std::string_view owner) { return owner == wanted; };
}

Async<> select_own(Coordinator& coordinator, std::string topic, std::string owner,
                   ListFilter& filter) {
  if (!owner.empty() && !coordinator.has_owners()) co_return no_owners();
  select_owner(owner, filter);
  co_return co_await select_topic(coordinator, std::move(topic), filter);
}

Result<> check_action(const BulkRequest& request, const Transaction& trans,
                      const ModeTable& modes) {
  const Mode* mode = modes.find(trans.type);
  if (mode == nullptr) {
    return conflict("gid " + trans.gid.str() + " has a type that is not in this version.");
  }
  // As Loader does when the transaction is taken.
  if (const auto read = read_stored(*mode, trans); !read) return read.error();
  switch (request.action) {
    case BulkAction::retry:
      if (!is_final(trans.status)) return ok();
      return conflict("gid " + trans.gid.str() + " has ended with status " + quoted(trans.status) +
                      ", it cannot be retried.");
    case BulkAction::stop:
      return check_stop(trans);
    case BulkAction::skip:
      break;
  }
  CONCERTO_TRY([[maybe_unused]] const std::uint32_t row, skipped_row(trans, *mode, request.branch));
  return ok();
}

Async<> carry_out(Coordinator& coordinator, const BulkRequest& request, Gid gid,
                  RequestContext context) {
  switch (request.action) {
    case BulkAction::retry:
      return coordinator.reset_next_cron_time(std::move(gid), context);
    case BulkAction::stop:
      return coordinator.force_stop(std::move(gid), context, request.reason);
    case BulkAction::skip:
      break;
  }
  return coordinator.skip_branch(std::move(gid), request.branch, context, request.reason);
}

JobRun::JobRun(BulkJob job, Coordinator& coordinator, Executor executor, Timers& timers,
               TaskGroup& tasks)
    : job_(std::move(job)),
      asked_by_("job " + job_.id + (job_.caller.empty() ? "" : " of " + job_.caller)),
      coordinator_(coordinator),
      timers_(timers),
      tasks_(tasks),
      room_(executor),
      ended_(std::move(executor)) {
  job_.done -= std::exchange(job_.part_done, 0);
  job_.failed -= std::exchange(job_.part_failed, 0);
  failures_before_ = job_.failures.size();
}

Task<bool> JobRun::run(Save save_record) {
  const auto self = shared_from_this();
  save_record_ = std::move(save_record);
  co_await asio::this_coro::throw_if_cancelled(false);
  bool is_saved = false;
  while (!ends() && job_.state == BulkJob::State::running) {
    const Result<> done = co_await run_page();
    if (!done && is_lasting(done.error().code)) job_.state = BulkJob::State::failed;
    // The words of a store are for the log.
    job_.trouble = done || ends() ? std::string() : done.error().code.message();
    const Result<> saved = co_await save();
    if (!saved && !concerns_all(saved.error().code)) co_return false;
    is_saved = saved.has_value();
    if (!done || !saved) co_await pause(trouble_pause);
  }
  if (job_.state != BulkJob::State::running) co_return is_saved;
  if (!is_cancelled_) co_return false;
  job_.state = BulkJob::State::cancelled;
  const Result<> saved = co_await save();
  co_return saved.has_value();  // Otherwise whoever runs it next is told by the next cancelJob.
}

/// After an error the page and its position stay. The next page is listed meanwhile.
Async<> JobRun::run_page() {
  if (!page_) {
    if (!ahead_) ahead_ = co_await list_page(job_.position, job_.done + job_.failed);
    Result<Page> listed = std::move(*ahead_);
    ahead_.reset();
    if (!listed) co_return listed.error();
    page_ = std::move(*listed);
  }
  const Result<> done = co_await act_on_page();
  if (!done) {
    ahead_.reset();  // It may be old when the trouble is over.
    co_return done.error();
  }
  end_page();
  const bool is_last = job_.position.empty() || job_.done + job_.failed >= job_.request.limit;
  if (is_last) job_.state = BulkJob::State::done;
  co_return ok();
}

void JobRun::end_page() {
  job_.position = std::move(page_->next);
  job_.part_done = job_.part_failed = 0;
  failures_before_ = job_.failures.size();
  page_.reset();
}

/// Of the page that is under way the record has the numbers alone.
Async<> JobRun::save() {
  BulkJob stored = job_;
  stored.failures.resize(std::min(stored.failures.size(), failures_before_));
  const Result<> saved = co_await save_record_(stored);
  job_.updated = stored.updated;
  co_return saved;
}

/// The page when so many transactions have been met.
Async<JobRun::Page> JobRun::list_page(std::string position, std::size_t met) {
  const BulkSelection& selection = job_.request.selection;
  if (!filter_) {
    ListFilter filter = filter_of(selection);
    CONCERTO_CO_CHECK(co_await select_topic(coordinator_, selection.topic, filter));
    // As a preview does, the store reads whole transactions, and leaves out those that are damaged.
    if (!filter.accepts) filter.accepts = [](const Transaction&) { return true; };
    filter_ = std::move(filter);
  }
  const std::size_t wanted = std::min(page_transactions, job_.request.limit - met);
  CONCERTO_CO_TRY(TransPage listed, co_await coordinator_.list(*filter_, std::move(position),
                                                               wanted, selection.trouble));
  Page page;
  page.next = std::move(listed.next_position);
  page.left.reserve(listed.transactions.size());
  for (Transaction& trans : listed.transactions) page.left.push_back(std::move(trans.gid));
  std::ranges::reverse(page.left);
  co_return page;
}

Task<void> JobRun::list_ahead(std::string position, std::size_t met) {
  const auto self = shared_from_this();
  co_await asio::this_coro::throw_if_cancelled(false);
  ahead_ = co_await list_page(std::move(position), met);
  --running_;
  ended_.notify_all();
}

Async<> JobRun::act_on_page() {
  trouble_ = ok();
  const std::size_t met = job_.done + job_.failed + page_->left.size();
  bool is_open = true;
  if (!page_->next.empty() && met < job_.request.limit) {
    is_open = start(list_ahead(page_->next, met));
  }
  const std::size_t tasks = std::min(acts_at_once, page_->left.size());
  for (std::size_t i = 0; is_open && i < tasks; ++i) is_open = start(act_on_some());
  co_await wait_for_tasks();
  if (trouble_ && !page_->left.empty()) trouble_ = shutting_down();
  co_return trouble_;
}

Task<void> JobRun::wait_for_tasks() {
  Timer timer(timers_, [this] { ended_.notify_all(); });
  SteadyTime next = timers_.now() + progress_interval;
  while (running_ > 0) {
    timer.set(next);
    if (const bool notified = co_await ended_.wait(); !notified) stop();
    if (running_ == 0 || timers_.now() < next) continue;
    if (!ends()) {
      Result<> saved = co_await save();
      // Another coordinator has the job, or it was cancelled there.
      if (!saved && !concerns_all(saved.error().code)) trouble_ = std::move(saved);
    }
    next = timers_.now() + progress_interval;
  }
}

/// False: the job is to end, and the task is dropped.
bool JobRun::start(Task<void> task) {
  const bool is_open = tasks_.spawn(std::move(task));
  if (is_open) ++running_;
  return is_open;
}

Task<void> JobRun::act_on_some() {
  const auto self = shared_from_this();
  RequestContext context;
  context.caller = CallerId(asked_by_);
  co_await asio::this_coro::throw_if_cancelled(false);
  std::vector<Gid>& left = page_->left;
  while (!left.empty() && trouble_ && !ends()) {
    if (!has_room()) {
      co_await wait_for_room();
      continue;
    }
    const Gid gid = std::move(left.back());
    left.pop_back();
    Result<> done = co_await act_on(gid, context);
    if (!done && concerns_all(done.error().code)) {
      job_.trouble = done.error().code.message();  // A store that is away may hold up the record.
      trouble_ = std::move(done);
      unsure_.insert(gid);
      left.push_back(gid);
    } else {
      count(gid, done);
    }
  }
  --running_;
  ended_.notify_all();
}

/// What an attempt without an answer may have done is not refused, but done.
Async<> JobRun::act_on(const Gid& gid, const RequestContext& context) {
  const Result<> done = co_await carry_out(coordinator_, job_.request, gid, context);
  if (done || concerns_all(done.error().code) || !unsure_.contains(gid)) co_return done;
  CONCERTO_CO_TRY(const std::optional<Transaction> trans, co_await coordinator_.query(gid));
  if (trans && has_effect(job_.request, *trans)) co_return ok();
  co_return done;
}

void JobRun::count(const Gid& gid, const Result<>& result) {
  unsure_.erase(gid);
  if (result) {
    ++job_.done;
    ++job_.part_done;
  } else {
    ++job_.failed;
    ++job_.part_failed;
    if (job_.failures.size() < BulkJob::failures_max) {
      job_.failures.push_back({gid, result.error().detail});
    }
  }
}

bool JobRun::has_room() const {
  const InFlight now = coordinator_.in_flight();
  return now.live <= live_max && now.changes <= queued_changes_max;
}

/// One of the tasks looks again and again, and the others wait for it.
Task<void> JobRun::wait_for_room() {
  if (looks_for_room_) {
    if (const bool notified = co_await room_.wait(); !notified) stop();
    co_return;
  }
  looks_for_room_ = true;
  const SteadyTime begun = timers_.now();
  while (!has_room() && trouble_ && !ends()) {
    co_await pause(room_pause);
    if (timers_.now() - begun >= trouble_pause) {
      job_.trouble = "it waits until there is less in memory, and in the queue of the store";
    }
  }
  job_.trouble.clear();
  looks_for_room_ = false;
  room_.notify_all();
}

/// Shorter if it is cancelled: what waits looks again whether it has to end.
Task<void> JobRun::pause(milliseconds time) {
  if (const bool waited = co_await sleep_until(timers_, timers_.now() + time); !waited) stop();
}

}  // namespace concerto
