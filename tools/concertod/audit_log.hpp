#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/clock.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/protocol/action_audit.hpp>

#include "audit_file.hpp"
#include "config.hpp"
#include "logging.hpp"
#include "refused_attempts.hpp"

namespace concerto::tools {

/// The audit log of a process: a file of JSON lines about operators' actions, over HTTP and gRPC as
/// well as on the machine. Records are written and read on a thread of the audit log. If one cannot
/// be written, the log says so, and no action is begun until one can (Audit.Required).
///
/// Thread-safe. It outlives the shards that use it.
class AuditLog final : public net::ActionAudit {
 public:
  /// Null if the configuration has no Audit.File. The clock and the log must outlive the result.
  static Result<std::unique_ptr<AuditLog>> open(const AuditConfig& config, const Clock& clock,
                                                Log& log);
  ~AuditLog() override;

  std::string next_id() override;
  Async<> write(net::AuditRecord record) override;
  Async<net::AuditPage> read(net::AuditQuery query) override;

  /// As `write`, on this thread.
  Result<> write_now(const net::AuditRecord& record);
  /// Opens the file anew by its name.
  void reopen();
  /// How many records were not written: of refused attempts beyond their share, and of anything
  /// while the file could not be written.
  std::uint64_t unrecorded() const noexcept { return unrecorded_.load(std::memory_order_relaxed); }
  /// What is wrong if the last record could not be written; otherwise empty. On any thread.
  std::string trouble() const;
  /// A text as the log shows it, without the secrets of the configuration.
  std::string masked(std::string_view text) const { return log_.masked(text); }

 private:
  AuditLog(std::unique_ptr<AuditFile> file, bool is_required, const Clock& clock, Log& log);

  bool takes(const net::AuditRecord& record);
  RefusedAttempts& refused_like(const net::AuditRecord& record) CONCERTO_REQUIRES(counts_mutex_);
  Result<> append(const net::AuditRecord& record);
  Result<> append_refused(const net::AuditRecord& record);
  Result<> written(const Result<>& result);
  void tell_finding();
  Async<> append_there(net::AuditRecord record);
  Result<> lost(const Error& why);
  Async<net::AuditPage> read_there(net::AuditQuery query);

  const bool is_required_;
  const Clock& clock_;
  Log& log_;
  const std::string id_prefix_;
  std::atomic<std::uint64_t> last_id_ = 0;
  std::atomic<std::uint64_t> unrecorded_ = 0;
  std::atomic<std::size_t> waiting_records_ = 0;  ///< for the thread
  std::atomic<std::size_t> waiting_pages_ = 0;    ///< the same

  Mutex mutex_;
  const std::unique_ptr<AuditFile> file_ CONCERTO_GUARDED_BY(mutex_);

  mutable Mutex counts_mutex_;  ///< never held while a file is written
  bool has_lost_ CONCERTO_GUARDED_BY(counts_mutex_) = false;
  RefusedAttempts refused_strangers_ CONCERTO_GUARDED_BY(counts_mutex_);
  RefusedAttempts refused_callers_ CONCERTO_GUARDED_BY(counts_mutex_);
  std::size_t left_out_ CONCERTO_GUARDED_BY(counts_mutex_) = 0;
  bool has_no_share_ CONCERTO_GUARDED_BY(counts_mutex_) = false;  ///< left in the file

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

/// An action of an operator on the machine itself, such as a reset, with its two records. Without
/// an audit log (null) it has none. If it is destroyed before its end, as by an exception, the
/// second record says so.
class LocalAction {
 public:
  /// The record is begun: `by` is command or signal.
  LocalAction(AuditLog* audit, std::string action, std::string by, std::string details);
  ~LocalAction();
  LocalAction(const LocalAction&) = delete;
  LocalAction& operator=(const LocalAction&) = delete;

  /// Error: the record cannot be written, and the action must not begin.
  [[nodiscard]] Result<> begin();
  /// What is known only after the begin; the second record has it.
  void add_details(std::string_view details) { record_.details += details; }
  /// Writes how the action has ended.
  void end(const Result<>& result);

 private:
  AuditLog* audit_;
  net::AuditRecord record_;
  bool is_open_ = false;  ///< begun and not ended
};

}  // namespace concerto::tools
