#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/managed_store.hpp>
#include <concerto/protocol/action_audit.hpp>
#include <concerto/protocol/gated_router.hpp>

namespace concerto::tools {

/// Backups of the store while the coordinator runs: `POST /api/concerto/backup` begins one, which a
/// thread of its own makes, and `GET` tells how far it is and which backups there are. One at a
/// time. One object serves all shards; it must outlive their servers, and the store must outlive
/// it. Callable on any thread.
class BackupPages {
 public:
  /// Writes a line of the log. Called on any thread.
  using WriteLine = std::function<void(LogLevel, const std::string&)>;

  /// Reads which backups there are. `driver` is Store.Driver, `directory` Backup.Directory: no
  /// backups are made if it is empty, or of another store than leveldb.
  BackupPages(persist::ManagedStore& store, std::string_view driver, std::string directory,
              const Clock& clock, WriteLine write_line);
  /// Ends a backup that runs.
  ~BackupPages();
  BackupPages(const BackupPages&) = delete;
  BackupPages& operator=(const BackupPages&) = delete;

  void register_on(net::GatedRouter& router);
  /// Takes the audit record of each backup's end, on the thread of the backup. Call it before
  /// requests come.
  using WriteEnd = std::function<void(const net::AuditRecord&)>;
  void set_write_end(WriteEnd write_end) { write_end_ = std::move(write_end); }

  /// When the newest backup was made; nullopt without one.
  std::optional<WallTime> newest() const;

 private:
  /// What a request asks for. Without a base the newest backup is the base, if there is one.
  struct Wanted {
    std::string name;
    std::string base;
    bool full = false;
    bool verify = false;   ///< the base is read before
    net::AuditRecord end;  ///< of the request; its id is empty if there are no records
  };

  /// The backup that runs, or the last one that did.
  struct State {
    const char* state = "idle";  ///< running, done, failed
    std::string name;
    std::string base;
    std::string note;  ///< why all is copied; empty if nobody wonders
    std::string error;
    std::uint64_t done = 0;   ///< groups
    std::uint64_t total = 0;  ///< groups; 0: not known yet
    std::uint64_t bytes = 0;
  };

  Task<net::HttpResponse> begin(net::HttpRequest request, RequestContext context);
  Task<net::HttpResponse> show(Result<> known) const;
  Result<Wanted> read_wanted(std::string_view body) const;
  void run(const Wanted& wanted);
  void write_end(const Wanted& wanted, const Result<persist::BackupReport>& made);
  Result<persist::BackupReport> make(const Wanted& wanted);
  Result<persist::BackupReport> make_on(const Wanted& wanted, const std::string& base);
  /// Reads which backups there are.
  void look();

  persist::ManagedStore& store_;
  const std::string directory_;
  const std::string refusal_;  ///< why no backups are made; empty: they are
  const Clock& clock_;
  const WriteLine write_line_;
  WriteEnd write_end_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  State state_ CONCERTO_GUARDED_BY(mutex_);
  /// As of the start, or of the end of the last backup: requests read no files.
  std::vector<persist::BackupReport> backups_ CONCERTO_GUARDED_BY(mutex_);
  std::thread thread_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::tools
