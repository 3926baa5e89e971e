#include <algorithm>
#include <atomic>

#include <boost/asio/post.hpp>

#include <concerto/persist/leveldb_store.hpp>

#include "backup_writer.hpp"
#include "listing.hpp"
#include "maintenance.hpp"
#include "read_threads.hpp"
#include "reader.hpp"
#include "store_core.hpp"
#include "store_health.hpp"

namespace concerto::persist {
namespace {

/// For a caller who does not wait for descriptors, an open that finds none has failed like any
/// other.
Error of_store(Error error) {
  if (lacks_descriptor(error)) error.code = EngineErrc::store_failed;
  return error;
}

/// What clients are told of a failure, without the server's paths. The log has the whole text.
Error for_clients(Error error) {
  error = of_store(std::move(error));
  if (error.detail.find('/') == std::string::npos) return error;
  const bool full = error.detail.find(disk_full_text) != std::string::npos;
  const std::string why = full ? ": " + std::string(disk_full_text) : "";
  if (error.code == EngineErrc::store_failed) {
    error.detail = "the store failed" + why;
  } else if (error.code == EngineErrc::store_unavailable) {
    error.detail = "the store takes no writes until it is reopened" + why;
  } else if (error.code == EngineErrc::store_damaged) {
    error.detail = "what is stored does not pass its checks";
  }
  return error;
}

Result<> for_clients(Result<> done) {
  if (!done) return for_clients(std::move(done).error());
  return done;
}

}  // namespace

/// The threads around the core: one commits, one maintains, some read.
class LevelDbStore::Impl {
 public:
  explicit Impl(std::unique_ptr<StoreCore> opened)
      : core(std::move(opened)),
        reader(*core),
        maintenance(*core),
        workers(std::max<std::size_t>(core->options.reader_threads, 1)) {}

  Result<> start() {
    core->room.look();  // before anybody asks for the room
    CONCERTO_CHECK(core->committer.start());
    CONCERTO_CHECK(maintenance.start());
    CONCERTO_CHECK(workers.start());
    core->env.disk.reserve().wait_from_now_on([this] {
      core->log(LogLevel::error,
                "the store waits: no file descriptor is left; raise the limit (ulimit -n), or let "
                "fewer connections in");
    });
    core->room.keep_for_a_start();
    if (!core->options.waits_for_room) return ok();
    core->env.disk.space().wait_from_now_on([this](const Error& reason) {
      core->log(LogLevel::error, "the store waits for room: " + reason.detail);
    });
    return ok();
  }

  ~Impl() { close(); }

  void close() {
    if (closed) return;
    closed = true;
    core->env.disk.reserve().fail_at_once();
    core->env.disk.space().fail_at_once();
    maintenance.stop();
    workers.join();
    core->committer.stop();
    // The files that are written and removed at the end are named by the store's path.
    if (const Result<> there = core->check_place(); !there) {
      core->log(LogLevel::error, there.error().detail);
    } else if (!core->committer.failed()) {
      mark_clean_stop();
    }
    core->release();
  }

  void mark_clean_stop() {
    const std::uint64_t last_group = core->ledger.durable_group();
    const Result<> marked = core->change_state([last_group](StoreState& state) {
      state.clean = true;
      state.clean_last_group = last_group;
    });
    if (!marked) core->log(LogLevel::error, "no mark of a clean stop: " + marked.error().detail);
  }

  Result<> check_open() const {
    if (closed) return make_error(EngineErrc::store_unavailable, "the store is closed");
    return ok();
  }

  /// Runs `read` on a worker thread and returns its result to the calling shard.
  template <class T, class Read>
  Task<T> on_worker(Read read) {
    CONCERTO_CO_CHECK(check_open());
    const Executor executor = co_await asio::this_coro::executor;
    auto start = [this, &read, &executor](Completion<T> completion) {
      asio::post(workers.executor(), [read = std::move(read), executor,
                                      completion = std::move(completion)]() mutable {
        asio::post(executor, [value = read(), completion = std::move(completion)]() mutable {
          completion(std::move(value));
        });
      });
    };
    T value = co_await suspend<T>(start);
    if (!value) co_return tell_failed_read(std::move(value).error());
    co_return value;
  }

  /// Logs what clients are not told, but not each time, because clients may ask again and again.
  Error tell_failed_read(Error error) {
    constexpr std::chrono::seconds say_interval{1};
    Error told = for_clients(error);
    const SteadyTime now = core->clock.steady_now();
    SteadyTime said = said_failed_read.load();
    if (told.detail != error.detail && now - said >= say_interval &&
        said_failed_read.compare_exchange_strong(said, now)) {
      core->log(LogLevel::error, "the store cannot read: " + error.detail);
    }
    return told;
  }

  Async<> commit_kv(LogRequest::Kind kind, const KvRecord& record) {
    LogRequest request;
    request.kind = kind;
    request.kv = &record;
    const Executor executor = co_await asio::this_coro::executor;
    Result<> done = co_await core->committer.commit(request, executor);
    co_return for_clients(std::move(done));
  }

  std::unique_ptr<StoreCore> core;
  StoreReader reader;
  Maintenance maintenance;
  ReadThreads workers;
  std::atomic<SteadyTime> said_failed_read = SteadyTime{};
  bool closed = false;
  std::atomic<std::size_t> long_lists = 0;
};

namespace {

/// At most so many lists that take more than one step run at the same time; further ones are
/// refused.
constexpr std::size_t long_lists_max = 16;

/// One of the `long_lists_max` places, held until destruction.
class LongList {
 public:
  explicit LongList(std::atomic<std::size_t>& count) : count_(count) {}
  ~LongList() {
    if (is_taken_) --count_;
  }
  LongList(const LongList&) = delete;
  LongList& operator=(const LongList&) = delete;

  /// False if no place is free. A place once taken is kept.
  bool take() noexcept {
    if (is_taken_) return true;
    is_taken_ = count_++ < long_lists_max;
    if (!is_taken_) --count_;
    return is_taken_;
  }

 private:
  std::atomic<std::size_t>& count_;
  bool is_taken_ = false;
};

RecordKind kind_of(const UpdateTrans& update, Durability durability) {
  if (update.delta.status && is_final(*update.delta.status)) return RecordKind::finish;
  return durability == Durability::progress ? RecordKind::progress : RecordKind::decision;
}

Result<> check_size(const EncodedRecord& record, const Gid& gid) {
  if (record.payload.size() <= record_bytes_max) return ok();
  return make_error(Errc::invalid_request, "the record of '" + gid.str() + "' has " +
                                               std::to_string(record.payload.size()) +
                                               " bytes; at most " +
                                               std::to_string(record_bytes_max) + " are stored");
}

}  // namespace

LevelDbStore::LevelDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LevelDbStore::~LevelDbStore() = default;

Result<std::unique_ptr<LevelDbStore>> LevelDbStore::open(LevelDbOptions options, const Clock& clock,
                                                         Observer& observer) {
  auto opened = open_core(options, clock, observer);
  if (!opened) return of_store(std::move(opened).error());
  auto impl = std::make_unique<Impl>(std::move(*opened));
  CONCERTO_CHECK(impl->start());
  return std::unique_ptr<LevelDbStore>(new LevelDbStore(std::move(impl)));
}

Result<> LevelDbStore::remove(const std::string& path) {
  Result<> removed = remove_store(posix_disk(), path);
  if (!removed) return of_store(std::move(removed).error());
  return removed;
}

void LevelDbStore::close() {
  impl_->close();
}

std::size_t LevelDbStore::descriptors_max(const LevelDbOptions& options) noexcept {
  // A segment has two databases, each with a lock, a manifest and a log. Tables are mapped.
  constexpr std::size_t per_segment = 6;
  // One for the store's lock, then the reserve; each thread has a few more files open for a moment.
  const std::size_t fixed = 1 + PatientDisk::reserve_descriptors + 8 + options.reader_threads;
  const StoreRetention& retention = options.retention;
  const auto kept = std::max(retention.finished_expire, retention.failed_expire);
  const auto by_age = kept / std::max(options.segment_age, std::chrono::seconds{1});
  const auto by_bytes =
      retention.finished_bytes_max / std::max(options.segment_bytes, std::uint64_t{1});
  // One more by each count, the current segment, and the next one, which is prepared ahead.
  return fixed + per_segment * (static_cast<std::size_t>(by_age) + by_bytes + 4);
}
const StoreProbe& LevelDbStore::probe() const noexcept {
  return impl_->core->probe;
}
std::size_t LevelDbStore::unfinished_count() const {
  return impl_->core->ledger.unfinished_count();
}
std::size_t LevelDbStore::unfinished_bytes() const {
  return impl_->core->ledger.unfinished_bytes();
}
StoreHealth LevelDbStore::health() const {
  StoreHealth health = health_of(*impl_->core);
  if (impl_->closed) health.add(StoreHealth::State::failed, "the store is closed");
  return health;
}
std::size_t LevelDbStore::queued_changes() const noexcept {
  return impl_->core->probe.queued_changes.load(std::memory_order_relaxed);
}
StoreNumbers LevelDbStore::numbers() const {
  return numbers_of(*impl_->core);
}
void LevelDbStore::set_retention(const StoreRetention& retention) {
  impl_->core->set_retention(retention);
}
void LevelDbStore::begin_stop(SteadyTime /*until*/) noexcept {
  impl_->core->env.disk.space().fail_at_once();
}
Result<> LevelDbStore::maintain() {
  CONCERTO_CHECK(impl_->check_open());
  return impl_->maintenance.run_now();
}

Result<BackupReport> LevelDbStore::backup(const BackupRequest& request) {
  CONCERTO_CHECK(impl_->check_open());
  return backup_open_store(*impl_->core, request);
}
Result<std::vector<BackupReport>> LevelDbStore::backups(const std::string& directory) {
  return list_backups(directory);
}

// Encoding happens here, on the shard's thread.
Async<> LevelDbStore::commit(const Change& change) {
  LogRequest request;
  request.durability = change.durability;
  if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
    request.kind = LogRequest::Kind::create;
    request.creates = true;
    request.trans = created->trans;
    request.fingerprint = fingerprint(impl_->core->key, created->trans->gid.view());
    request.set_record(encode_transaction(RecordKind::submit, *created->trans));
    CONCERTO_CO_CHECK(check_size(request.record, created->trans->gid));
  } else {
    const UpdateTrans& update = std::get<UpdateTrans>(change.what);
    request.kind = LogRequest::Kind::update;
    request.update = &update;
    request.fingerprint = fingerprint(impl_->core->key, update.gid.view());
    const RecordKind kind = kind_of(update, change.durability);
    request.set_record(encode_delta(kind, update.gid, update.delta));
    CONCERTO_CO_CHECK(check_size(request.record, update.gid));
  }
  const Executor executor = co_await asio::this_coro::executor;
  Result<> done = co_await impl_->core->committer.commit(request, executor);
  co_return for_clients(std::move(done));
}

Async<std::optional<Transaction>> LevelDbStore::load(Gid gid) {
  CONCERTO_CO_CHECK(impl_->check_open());
  auto looked_up = impl_->reader.load_quickly(gid);
  if (!looked_up) co_return impl_->tell_failed_read(std::move(looked_up).error());
  QuickLoad quick = std::move(*looked_up);
  if (quick.done) co_return std::move(quick.trans);
  auto read = [this, gid = std::move(gid)] { return impl_->reader.load(gid); };
  co_return co_await impl_->on_worker<Result<std::optional<Transaction>>>(std::move(read));
}

Async<UnfinishedPage> LevelDbStore::scan_unfinished(std::uint64_t from, std::size_t limit) {
  auto read = [this, from, limit] { return impl_->reader.scan_unfinished(from, limit); };
  co_return co_await impl_->on_worker<Result<UnfinishedPage>>(std::move(read));
}

Async<TransPage> LevelDbStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(auto begun,
                  Listing::begin(impl_->reader, *impl_->core, std::move(filter), position, limit));
  const std::shared_ptr<Listing> listing = std::move(begun);
  LongList place(impl_->long_lists);
  for (bool is_first = true;; is_first = false) {
    if (!is_first && !place.take()) {
      co_return make_error(Errc::overloaded, "too many lists look through the store, try later");
    }
    auto step = [listing] { return listing->step(); };
    CONCERTO_CO_TRY(const bool done, co_await impl_->on_worker<Result<bool>>(std::move(step)));
    if (done) co_return listing->take();
  }
}

Async<std::vector<KvRecord>> LevelDbStore::find_kv(std::string cat, std::string key) {
  CONCERTO_CO_CHECK(impl_->check_open());
  co_return impl_->core->ledger.find_kv(cat, key);
}

Async<KvPage> LevelDbStore::scan_kv(std::string cat, std::string position, std::size_t limit) {
  CONCERTO_CO_CHECK(impl_->check_open());
  co_return impl_->core->ledger.scan_kv(cat, position, limit);
}

Async<> LevelDbStore::create_kv(KvRecord record) {
  co_return co_await impl_->commit_kv(LogRequest::Kind::kv_create, record);
}

Async<> LevelDbStore::update_kv(KvRecord record) {
  co_return co_await impl_->commit_kv(LogRequest::Kind::kv_update, record);
}

Async<> LevelDbStore::delete_kv(std::string cat, std::string key) {
  KvRecord named;
  named.cat = std::move(cat);
  named.key = std::move(key);
  co_return co_await impl_->commit_kv(LogRequest::Kind::kv_erase, named);
}

}  // namespace concerto::persist
