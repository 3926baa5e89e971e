#include "audit_log.hpp"

#include <exception>
#include <limits>
#include <unistd.h>
#include <utility>

#include <concerto/base/start_thread.hpp>

#include "audit_lines.hpp"

namespace concerto::tools {
namespace {

using Event = net::AuditRecord::Event;

/// A request waits here for a sync of those before it.
constexpr std::size_t waiting_records_max = 1'000;
constexpr std::size_t waiting_pages_max = 4;

/// Strangers are fewer, because one of them may have many networks, and what they do not use up of
/// their share of the file is left for callers.
constexpr std::size_t refused_callers_max = 256;
constexpr std::size_t refused_networks_max = 64;

Rotation rotation_of(const AuditConfig& config) {
  Rotation rotation;
  rotation.bytes_max = config.file_bytes_max;
  rotation.files_max = config.files_max;
  rotation.age_max = std::chrono::days{config.age_max_days};
  return rotation;
}

Error too_many() {
  return make_error(Errc::overloaded, "too many requests wait for the audit log");
}

/// Takes part in a count while it lives.
class Waiting {
 public:
  Waiting(std::atomic<std::size_t>& count, std::size_t max)
      : count_(count), is_too_many_(++count > max) {}
  ~Waiting() { --count_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool is_too_many() const noexcept { return is_too_many_; }

 private:
  std::atomic<std::size_t>& count_;
  const bool is_too_many_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const AuditConfig& config, const Clock& clock,
                                                 Log& log) {
  std::unique_ptr<AuditLog> audit;
  if (config.file.empty()) return audit;
  auto file = AuditFile::open(config.file, rotation_of(config));
  if (!file) return Error{file.error().code, "Audit.File: " + file.error().detail};
  audit.reset(new AuditLog(std::move(*file), config.required, clock, log));
  audit->tell_finding();
  CONCERTO_CHECK(
      start_thread(audit->thread_, "for the audit log", [&io = audit->io_] { io.run(); }));
  return audit;
}

AuditLog::AuditLog(std::unique_ptr<AuditFile> file, bool is_required, const Clock& clock, Log& log)
    : is_required_(is_required),
      clock_(clock),
      log_(log),
      id_prefix_(std::to_string(std::chrono::floor<std::chrono::milliseconds>(
                                    clock.wall_now().time_since_epoch())
                                    .count()) +
                 "-" + std::to_string(::getpid()) + "-"),
      file_(std::move(file)),
      refused_strangers_("network", refused_networks_max),
      refused_callers_("caller", refused_callers_max),
      work_(io_.get_executor()) {}

AuditLog::~AuditLog() {
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

std::string AuditLog::next_id() {
  return id_prefix_ + std::to_string(++last_id_);
}

/// A record of an end is always taken: the action has happened.
Async<> AuditLog::write(net::AuditRecord record) {
  if (!takes(record)) co_return ok();
  const bool is_end = record.event == Event::done || record.event == Event::failed;
  const Waiting waiting(waiting_records_, waiting_records_max);
  if (!is_end && waiting.is_too_many()) co_return lost(too_many());
  co_return co_await on_shard(io_.get_executor(), append_there(std::move(record)));
}

/// A page takes the thread longer than a record, so few of them wait at a time.
Async<net::AuditPage> AuditLog::read(net::AuditQuery query) {
  const Waiting waiting(waiting_pages_, waiting_pages_max);
  if (waiting.is_too_many()) co_return too_many();
  co_return co_await on_shard(io_.get_executor(), read_there(std::move(query)));
}

Async<> AuditLog::append_there(net::AuditRecord record) {
  co_return append(record);
}

Async<net::AuditPage> AuditLog::read_there(net::AuditQuery query) {
  std::vector<std::filesystem::path> files;
  {
    const MutexLock lock(mutex_);
    files = file_->files();
  }
  co_return read_audit(files, query);
}

/// Strangers must not hide what callers try.
RefusedAttempts& AuditLog::refused_like(const net::AuditRecord& record) {
  return record.caller.empty() ? refused_strangers_ : refused_callers_;
}

/// False for a refused attempt if many others have just had a record.
bool AuditLog::takes(const net::AuditRecord& record) {
  if (record.event != Event::refused) return true;
  const std::string sender = RefusedAttempts::sender_of(record);
  const SteadyTime now = clock_.steady_now();
  const WallTime wall_now = clock_.wall_now();
  RefusedAttempts::Judged judged;
  {
    const MutexLock lock(counts_mutex_);
    judged = refused_like(record).judge(sender, now, wall_now);
    if (!judged.is_recorded) {
      ++left_out_;
      unrecorded_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (!judged.line.empty()) log_.warn(judged.line);
  return judged.is_recorded;
}

Result<> AuditLog::write_now(const net::AuditRecord& record) {
  return takes(record) ? append(record) : ok();
}

Result<> AuditLog::append(const net::AuditRecord& record) {
  if (record.event == Event::refused) return append_refused(record);
  const WallTime now = clock_.wall_now();
  Result<> done = ok();
  {
    const MutexLock lock(mutex_);
    done = file_->append(audit_line(record, now), now);
  }
  return written(done);
}

Result<> AuditLog::append_refused(const net::AuditRecord& record) {
  std::size_t left_out = 0;
  {
    const MutexLock lock(counts_mutex_);
    left_out = std::exchange(left_out_, 0);
  }
  const std::string line = audit_line(record, clock_.wall_now(), left_out);
  Result<bool> done = false;
  {
    const MutexLock lock(mutex_);
    done = file_->append_refused(line);
  }
  const bool is_written = done && *done;
  {
    const MutexLock lock(counts_mutex_);
    if (is_written) {
      refused_like(record).note_written(RefusedAttempts::sender_of(record), line.size());
    } else {
      left_out_ += left_out + 1;
      if (done) unrecorded_.fetch_add(1, std::memory_order_relaxed);
    }
    if (done && !std::exchange(has_no_share_, !*done) && !*done) {
      log_.warn(
          "the audit log: refused attempts have used up their share of the file; more of them "
          "have no record until it is put aside");
    }
  }
  return written(done ? ok() : Result<>(done.error()));
}

Result<> AuditLog::written(const Result<>& result) {
  tell_finding();
  if (!result) return lost(result.error());
  const MutexLock lock(counts_mutex_);
  if (std::exchange(has_lost_, false)) log_.info("the audit log is written again");
  return ok();
}

void AuditLog::tell_finding() {
  const MutexLock lock(mutex_);
  const std::string finding = file_->take_finding();
  if (!finding.empty()) log_.warn("Audit.File: " + finding);
}

/// A record is not written: the log says so once, until one is written again.
Result<> AuditLog::lost(const Error& why) {
  unrecorded_.fetch_add(1, std::memory_order_relaxed);
  {
    const MutexLock lock(counts_mutex_);
    if (!std::exchange(has_lost_, true)) {
      log_.error("the audit log: " + why.detail +
                 (is_required_ ? "; operators' actions are refused (Audit.Required)"
                               : "; operators' actions go on without it (Audit.Required)"));
    }
  }
  if (!is_required_) return ok();
  // The caller need not know files and disks of this machine.
  return make_error(Errc::overloaded,
                    "the audit log cannot be written, so that nothing was done; the log of the "
                    "coordinator says why");
}

std::string AuditLog::trouble() const {
  const MutexLock lock(counts_mutex_);
  if (!has_lost_) return {};
  return std::string("the audit log cannot be written; operators' actions ") +
         (is_required_ ? "are refused (Audit.Required)" : "have no records");
}

void AuditLog::reopen() {
  {
    const MutexLock lock(mutex_);
    if (const Result<> opened = file_->reopen(); !opened) {
      log_.error("Audit.File: " + opened.error().detail);
    }
  }
  tell_finding();
}

LocalAction::LocalAction(AuditLog* audit, std::string action, std::string by, std::string details)
    : audit_(audit) {
  if (audit == nullptr) return;
  record_.id = audit->next_id();
  record_.action = std::move(action);
  record_.by = std::move(by);
  record_.details = std::move(details);
  if (record_.by == "command") record_.caller = "uid " + std::to_string(::getuid());
}

LocalAction::~LocalAction() {
  if (!is_open_) return;
  try {
    end(make_error(Errc::shutting_down, "it was cut off; it may have changed something"));
  } catch (const std::exception&) {  // without memory there is no record
  }
}

Result<> LocalAction::begin() {
  if (audit_ == nullptr) return ok();
  is_open_ = true;
  Result<> begun = audit_->write_now(record_);
  is_open_ = begun.has_value();
  return begun;
}

/// The words of a database may repeat what it was sent.
void LocalAction::end(const Result<>& result) {
  is_open_ = false;
  if (audit_ == nullptr) return;
  record_.event = result ? Event::done : Event::failed;
  if (!result) record_.result = audit_->masked(result.error().detail);
  ignore_error(audit_->write_now(record_), "it has happened, and the log tells why");
}

}  // namespace concerto::tools
