#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/managed_store.hpp>
#include <concerto/persist/store_moves.hpp>

namespace concerto::persist {

/// How a store reaches its database server.
struct DatabaseSettings {
  std::string host;  ///< or several with commas between them, of which one takes writes
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  std::string database = "dtm";
  std::string schema = "public";  ///< PostgreSQL
  /// MySQL: the zone of columns without one. Absent: this system's.
  std::optional<std::chrono::minutes> east_of_utc;

  std::size_t connections_max = 500;
  std::size_t idle_connections_max = 500;
  std::chrono::seconds connection_life_max = std::chrono::minutes{5};

  /// disable, prefer, require, verify-ca or verify-full, as libpq's sslmode.
  std::string tls_mode = "disable";
  std::string tls_ca_file;    ///< certificates that may have signed the server's
  std::string tls_cert_file;  ///< this client's certificate, and its key
  std::string tls_key_file;

  /// Whether a coordinator opens the store. Coordinators on MySQL find out whether others have
  /// another time zone, and leave a record of their own in the database for that.
  bool is_of_coordinator = true;

  /// Whether finished transactions are deleted as the retention says. The reference keeps them in
  /// SQL stores for ever.
  bool deletes_finished = false;

  /// The lease of a transaction (Ownership), as the server keeps it. 0: the store's own default.
  std::chrono::seconds lease{};
};

/// What only a store in Redis needs.
struct RedisSettings {
  std::string prefix = "{a}";                 ///< of all keys
  std::chrono::seconds data_expire{604'800};  ///< for how long unfinished transactions are kept
  std::string sentinel_master;                ///< the master's name, if the hosts are Sentinels
  int wait_replicas = 0;      ///< replicas that must have a change before its answer
  bool wait_on_disk = false;  ///< the replicas, and the master, must have synced it
};

/// The settings of a store in the configuration (protocol page 06, the section `Store`). A kind of
/// store uses the settings that it needs. Errors name the keys of that section.
struct StoreSettings {
  std::string driver = "leveldb";  ///< the name of the kind
  StoreRetention retention;
  std::string path;  ///< directory, for a store that has one
  /// A store with a disk warns if the disk has less free room.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20;
  DatabaseSettings database;  ///< for a store on a database server
  RedisSettings redis;        ///< for a store in Redis, besides `database`
};

/// A kind of store: the functions that make a store from a configuration. Only `name` and `open`
/// are required.
struct StoreKind {
  std::string name;  ///< the value of Store.Driver

  /// Opens the stored data, or creates an empty store. If its server cannot be reached, a store may
  /// open as `recovering` (StoreHealth). Clock and observer must outlive the store.
  std::function<Result<std::unique_ptr<ManagedStore>>(const StoreSettings&, const Clock&,
                                                      Observer&)>
      open;

  /// Checks the settings, without opening anything. Errors: invalid_request.
  std::function<Result<>(const StoreSettings&)> check;

  // Functions for data that outlives the process. A kind has all three of them, or none if it
  // stores no such data. The store must not be open when they are called.

  /// Says for people where the data is, without passwords.
  std::function<std::string(const StoreSettings&)> place;
  /// Number of unfinished transactions; nullopt if nothing was ever stored. Blocks.
  std::function<Result<std::optional<std::size_t>>(const StoreSettings&, const Clock&, Observer&)>
      count_unfinished;
  /// Removes everything that a store of this kind has stored there, and nothing else. Blocks.
  std::function<Result<>(const StoreSettings&)> drop;

  /// Only for a store that several coordinators can share: what others work on there
  /// (StoreMoves::work_of_others). Blocks.
  std::function<Result<WorkOfOthers>(const StoreSettings&, const Clock&, Observer&)> work_of_others;
};

/// The kinds of stores that a configuration may name.
class CONCERTO_EXPORT StoreKinds {
 public:
  /// The kinds in this build: leveldb, mysql, postgres and redis, unless the build left them out,
  /// and memory.
  static StoreKinds standard();

  /// Adds a kind, or replaces the kind of the same name.
  void add(StoreKind kind);
  /// Returns null for an unknown name. The pointer is valid until the next `add`.
  const StoreKind* find(std::string_view name) const noexcept;

  /// Checks that the kind is known and that the settings are right for it. Errors: invalid_request.
  [[nodiscard]] Result<> check(const StoreSettings& settings) const;
  /// Checks the settings and opens the store. Errors: invalid_request, and the errors of the kind.
  [[nodiscard]] Result<std::unique_ptr<ManagedStore>> open(const StoreSettings& settings,
                                                           const Clock& clock,
                                                           Observer& observer) const;

 private:
  Result<const StoreKind*> checked(const StoreSettings& settings) const;

  std::vector<StoreKind> kinds_;
};

}  // namespace concerto::persist
