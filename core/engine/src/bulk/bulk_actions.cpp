#include <algorithm>
#include <unordered_set>
#include <utility>

#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/engine/bulk_actions.hpp>

#include "bulk/bulk_looks.hpp"
#include "bulk/job_record.hpp"
#include "bulk/job_run.hpp"
#include "shard_env.hpp"

namespace concerto {
namespace {

using std::chrono::seconds;

const std::string job_category = "concerto-job";

/// A job whose record is older than this has lost its coordinator. One that runs writes its record
/// more often.
constexpr seconds silence_max{15};
constexpr seconds look_interval{3};
/// Stores on servers may keep whole seconds, and round them.
constexpr seconds shared_precision{1};

Error no_job(const std::string& id) {
  return make_error(EngineErrc::key_not_found, "there is no job '" + id + "'");
}

/// What answers say of a job that runs nowhere yet because of a paused start.
constexpr std::string_view waits_for_begin =
    "the coordinator was started paused and calls nobody: the job waits for its begin (concerto "
    "begin)";

/// Ids sort by the time of their jobs.
std::string job_id_of(WallTime now, std::uint64_t random) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string id = std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  id += '-';
  for (int i = 0; i < 8; ++i, random >>= 4U) id += digits[random & 15U];
  return id;
}

struct StoredJob {
  KvRecord record;
  BulkJob job;
};

/// What is known of a job whose record cannot be read. The record stays as it is, and nothing is
/// done for it.
BulkJob unreadable_job(const KvRecord& record, std::string trouble) {
  BulkJob job;
  job.is_readable = false;
  job.id = record.key;
  job.state = BulkJob::State::failed;
  job.trouble = std::move(trouble);
  job.created = record.create_time;
  job.updated = record.update_time;
  return job;
}

/// The job in a record: as it is, or one that says why not.
BulkJob job_in(const KvRecord& record) {
  Result<BulkJob> job = job_from(record.value);
  if (!job) return unreadable_job(record, job.error().detail);
  if (job->id == record.key) return std::move(*job);
  return unreadable_job(record,
                        "the record of the job '" + record.key + "' is that of '" + job->id + "'");
}

}  // namespace

class BulkActions::Impl {
 public:
  Impl(Coordinator& coordinator, Store& store, const Clock& clock, Executor executor,
       Timers& timers, RandomSource& random)
      : coordinator_(coordinator),
        store_(store),
        clock_(clock),
        executor_(executor),
        timers_(timers),
        random_(random),
        looks_(coordinator, store, clock),
        wanted_(executor),
        tasks_(std::move(executor)) {}

  const Executor& executor() const noexcept { return executor_; }

  void set_on_end(OnEnd on_end) { on_end_ = std::move(on_end); }

  void set_on_unreadable(OnUnreadable on_unreadable) { on_unreadable_ = std::move(on_unreadable); }

  void start() { tasks_.spawn(run_jobs()); }

  Task<void> stop() {
    is_stopping_ = true;
    if (run_) run_->stop();
    wanted_.notify_all();
    co_await tasks_.join();
  }

  const BulkLooks& looks() const noexcept { return looks_; }

  Async<BulkJob> begin(BulkRequest request, RequestContext context, std::string audit_id);
  Async<BulkJob> cancel(std::string id);
  Async<std::vector<BulkJob>> jobs(std::string id, std::size_t limit);

 private:
  Task<void> run_jobs();
  Task<bool> run_next();
  Task<void> tell_end(BulkJob job);
  Async<std::optional<StoredJob>> find_next();
  Async<std::vector<StoredJob>> read(std::string id);
  void tell_unreadable(const BulkJob& job);
  Async<> save(BulkJob& job);
  Async<> remove_old();

  Coordinator& coordinator_;
  Store& store_;
  const Clock& clock_;
  const Executor executor_;
  Timers& timers_;
  RandomSource& random_;
  OnEnd on_end_;
  OnUnreadable on_unreadable_;
  std::unordered_set<std::string> told_unreadable_;
  const BulkLooks looks_;
  Notifier wanted_;  ///< a job was added
  bool is_stopping_ = false;
  std::shared_ptr<JobRun> run_;   ///< null: no job runs here
  std::int64_t run_version_ = 0;  ///< of its record
  TaskGroup tasks_;
};

Task<void> BulkActions::Impl::run_jobs() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!is_stopping_) {
    const bool has_run = co_await run_next();
    if (has_run || is_stopping_) continue;
    Timer timer{timers_, [this] { wanted_.notify_all(); }};
    timer.set(timers_.now() + look_interval);
    if (const bool notified = co_await wanted_.wait(); !notified) co_return;
  }
}

Task<void> BulkActions::Impl::tell_end(BulkJob job) {
  if (!on_end_) co_return;
  Task<void> told = on_end_(std::move(job));
  co_await std::move(told);
}

Task<bool> BulkActions::Impl::run_next() {
  Result<std::optional<StoredJob>> next = co_await find_next();
  if (!next || !*next || is_stopping_) co_return false;
  StoredJob& stored = **next;
  run_ = std::make_shared<JobRun>(std::move(stored.job), coordinator_, executor_, timers_, tasks_);
  run_version_ = stored.record.version;
  // The record belongs to this coordinator once it is written. Another one may have been faster.
  BulkJob mine = run_->job();
  const Result<> taken = co_await save(mine);
  bool has_ended = false;
  if (taken) has_ended = co_await run_->run([this](BulkJob& job) { return save(job); });
  if (has_ended) co_await tell_end(run_->job());
  run_ = nullptr;
  co_return taken.has_value();
}

/// The oldest job that nobody works on.
Async<std::optional<StoredJob>> BulkActions::Impl::find_next() {
  CONCERTO_CO_TRY(std::vector<StoredJob> all, co_await read({}));
  const bool is_shared = store_.ownership() != nullptr;
  const WallTime now = clock_.wall_now();
  std::optional<StoredJob> next;
  for (StoredJob& stored : all) {
    if (stored.job.state != BulkJob::State::running) continue;
    // Of this coordinator's own store nobody else can have a job.
    const bool is_free =
        !is_shared || stored.record.version == 1 || now - stored.job.updated > silence_max;
    if (is_free && (!next || stored.job.id < next->job.id)) next = std::move(stored);
  }
  co_return next;
}

Async<std::vector<StoredJob>> BulkActions::Impl::read(std::string id) {
  CONCERTO_CO_TRY(std::vector<KvRecord> records,
                  co_await store_.find_kv(job_category, std::move(id)));
  std::vector<StoredJob> all;
  for (KvRecord& record : records) {
    BulkJob job = job_in(record);
    if (!job.is_readable) tell_unreadable(job);
    all.push_back({std::move(record), std::move(job)});
  }
  co_return all;
}

/// Once for each job: the records are read all the time.
void BulkActions::Impl::tell_unreadable(const BulkJob& job) {
  if (told_unreadable_.insert(job.id).second && on_unreadable_) on_unreadable_(job);
}

/// Error key_not_found: another coordinator has the job, or it was cancelled there.
Async<> BulkActions::Impl::save(BulkJob& job) {
  job.updated = clock_.wall_now();
  KvRecord record;
  record.cat = job_category;
  record.key = job.id;
  record.value = record_of(job);
  record.version = run_version_;
  record.update_time = job.updated;
  CONCERTO_CO_CHECK(co_await store_.update_kv(std::move(record)));
  ++run_version_;
  co_return ok();
}

Async<BulkJob> BulkActions::Impl::begin(BulkRequest request, RequestContext context,
                                        std::string audit_id) {
  CONCERTO_CO_CHECK(check_request(request, store_));
  if (is_stopping_) co_return shutting_down();
  // Jobs wait for the begin, and then it would be too late for this one.
  if (coordinator_.is_paused() && request.action != BulkAction::retry) {
    co_return make_error(Errc::overloaded,
                         "the coordinator was started paused and carries out no selections: name "
                         "the transactions (gids), or let it begin");
  }
  ListFilter filter;
  CONCERTO_CO_CHECK(co_await select_topic(coordinator_, request.selection.topic, filter));
  BulkJob job;
  job.created = job.updated = clock_.wall_now();
  job.id = job_id_of(job.created, random_.next());
  job.caller = context.caller.name();
  job.audit_id = std::move(audit_id);
  job.request = std::move(request);
  BulkSelection& selection = job.request.selection;
  const bool is_shared = store_.ownership() != nullptr;
  const WallTime last = is_shared ? job.created + shared_precision : job.created;
  selection.created_to = std::min(selection.created_to.value_or(last), last);
  KvRecord record;
  record.cat = job_category;
  record.key = job.id;
  record.value = record_of(job);
  record.create_time = record.update_time = job.created;
  CONCERTO_CO_CHECK(co_await store_.create_kv(std::move(record)));
  wanted_.notify_all();
  ignore_error(co_await remove_old(), "the next job tries again");
  if (coordinator_.is_paused()) job.trouble = waits_for_begin;
  co_return job;
}

Async<> BulkActions::Impl::remove_old() {
  CONCERTO_CO_TRY(std::vector<StoredJob> all, co_await read({}));
  std::erase_if(all, [](const StoredJob& each) {
    return each.job.state == BulkJob::State::running || !each.job.is_readable;
  });
  std::ranges::sort(all, std::ranges::greater{}, [](const StoredJob& each) { return each.job.id; });
  for (std::size_t i = jobs_max; i < all.size(); ++i) {
    CONCERTO_CO_CHECK(co_await store_.delete_kv(job_category, all[i].job.id));
  }
  co_return ok();
}

Async<BulkJob> BulkActions::Impl::cancel(std::string id) {
  if (run_ && run_->job().id == id) {
    run_->cancel();
    BulkJob job = run_->job();
    job.state = BulkJob::State::cancelled;
    co_return job;
  }
  CONCERTO_CO_TRY(std::vector<StoredJob> found, co_await read(id));
  if (found.empty() || id.empty()) co_return no_job(id);
  StoredJob& stored = found.front();
  if (stored.job.state != BulkJob::State::running) co_return stored.job;
  // Whoever runs it meets another version at the next step.
  stored.job.state = BulkJob::State::cancelled;
  stored.job.updated = stored.record.update_time = clock_.wall_now();
  stored.record.value = record_of(stored.job);
  CONCERTO_CO_CHECK(co_await store_.update_kv(stored.record));
  co_await tell_end(stored.job);
  co_return stored.job;
}

Async<std::vector<BulkJob>> BulkActions::Impl::jobs(std::string id, std::size_t limit) {
  CONCERTO_CO_TRY(std::vector<StoredJob> all, co_await read(std::move(id)));
  std::vector<BulkJob> jobs;
  for (StoredJob& stored : all) {
    // What runs here has not stored its last step yet.
    const bool runs_here = run_ && run_->job().id == stored.job.id;
    // In a store that is shared, another coordinator may have taken it.
    const bool waits = stored.job.state == BulkJob::State::running && !runs_here &&
                       coordinator_.is_paused() && stored.record.version == 1;
    if (waits) stored.job.trouble = waits_for_begin;
    jobs.push_back(runs_here ? run_->job() : std::move(stored.job));
  }
  std::ranges::sort(jobs, std::ranges::greater{}, &BulkJob::id);
  if (jobs.size() > limit) jobs.resize(limit);
  co_return jobs;
}

BulkActions::BulkActions(Coordinator& coordinator, Store& store, const Clock& clock,
                         Executor executor, Timers& timers, RandomSource& random)
    : impl_(
          std::make_unique<Impl>(coordinator, store, clock, std::move(executor), timers, random)) {}

BulkActions::~BulkActions() = default;

void BulkActions::set_on_end(OnEnd on_end) {
  impl_->set_on_end(std::move(on_end));
}

void BulkActions::set_on_unreadable(OnUnreadable on_unreadable) {
  impl_->set_on_unreadable(std::move(on_unreadable));
}

void BulkActions::start() {
  impl_->start();
}

Task<void> BulkActions::stop() {
  return impl_->stop();
}

Async<BulkPreview> BulkActions::preview(BulkRequest request) {
  return on_shard(impl_->executor(), impl_->looks().preview(std::move(request)));
}

Async<BulkPreview> BulkActions::preview_pause(Pause pause) {
  return on_shard(impl_->executor(), impl_->looks().preview_pause(std::move(pause)));
}

Async<PauseCounts> BulkActions::waiting_for(std::vector<Pause> pauses) {
  return on_shard(impl_->executor(), impl_->looks().waiting_for(std::move(pauses)));
}

Async<BulkJob> BulkActions::begin(BulkRequest request, RequestContext context,
                                  std::string audit_id) {
  return on_shard(impl_->executor(),
                  impl_->begin(std::move(request), context, std::move(audit_id)));
}

Async<BulkJob> BulkActions::cancel(std::string id) {
  return on_shard(impl_->executor(), impl_->cancel(std::move(id)));
}

Async<std::vector<BulkJob>> BulkActions::jobs(std::string id, std::size_t limit) {
  return on_shard(impl_->executor(), impl_->jobs(std::move(id), limit));
}

Async<BulkCounts> BulkActions::count(BulkSelection selection, BulkCountBy by,
                                     std::size_t groups_max) {
  return on_shard(impl_->executor(), impl_->looks().count(std::move(selection), by, groups_max));
}

}  // namespace concerto
