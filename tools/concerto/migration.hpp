#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/persist/store_moves.hpp>

#include "moved_table.hpp"
#include "progress.hpp"
#include "store_walk.hpp"
#include "unended_migration.hpp"

namespace concerto::tools {

/// One of the two stores of a migration.
struct MigrationEnd {
  MigrationEnd(persist::ManagedStore& opened, std::string where, bool may_expire = false)
      : store(opened), moves(opened), place(std::move(where)), expires(may_expire) {}

  persist::ManagedStore& store;
  persist::MovesOf moves;
  std::string place;  ///< for people, without passwords
  /// Whether finished transactions may expire at any time, as keys of Redis do.
  bool expires;
  /// How many errors the store has logged. It logs and leaves out what it cannot read.
  std::function<std::size_t()> errors = [] { return std::size_t{0}; };
};

struct MigrationOptions {
  bool only_counts = false;  ///< reads and checks the source, and changes nothing
  bool adds = false;         ///< the target may have other transactions
  /// Called before anything is copied: from then on the target has a part, until the end.
  std::function<void()> begins = [] {};
};

struct MigrationReport {
  enum class End : std::uint8_t {
    done,
    refused,  ///< nothing was written
    failed,
  };
  End end = End::done;
  std::vector<std::string> problems;  ///< sentences; the first ones of each kind
  StoreSurvey source;
  std::size_t topics = 0;
  std::size_t copied = 0;              ///< by this run
  std::size_t found_there = 0;         ///< copied by an earlier run
  std::size_t expired = 0;             ///< finished ones that expired in the source meanwhile
  std::uint64_t transactions_sum = 0;  ///< the checksums of all, added
};

/// Copies everything that a store has to another one, oldest transactions first, and checks both at
/// the end. A record in the target says that the migration has begun, so that a later run goes on.
///
/// `list` shows the newest first. So the pages of the source are looked up at first, and then read
/// from the last one on. A page is written as a whole before the next one begins; so what an
/// interrupted run has copied is known by the oldest transaction of each page.
class Migration {
 public:
  Migration(MigrationEnd source, MigrationEnd target, MigrationOptions options, const Clock& clock,
            Progress& progress)
      : source_(std::move(source)),
        target_(std::move(target)),
        options_(options),
        clock_(clock),
        progress_(progress) {}

  /// Call it once. An error is one of the stores, and its detail names the place.
  Async<MigrationReport> run();

 private:
  // The parts of a run, in their order. False: the run ends, `report_` says why.
  Async<> survey_source();
  Async<bool> check_source_is_free();
  Async<bool> check_target_is_free();
  Async<bool> begin();
  Async<bool> copy();
  Async<bool> copy_records();
  Async<> check();
  Async<> check_target();
  Async<> check_source();
  Async<> check_records();
  void check_everything_was_read();

  // migration_copy.cpp:
  Async<std::size_t> pages_done();
  bool prepare(std::vector<Transaction>& batch);
  Async<> write(const std::vector<Transaction>& batch);
  Async<> compare_existing(const Transaction& trans);

  Async<std::vector<KvRecord>> records_of(const MigrationEnd& end);
  bool refuse(std::string problem);
  std::string how_it_differs() const;
  void add_problem(std::string problem);

  MigrationEnd source_;
  MigrationEnd target_;
  const MigrationOptions options_;
  const Clock& clock_;
  Progress& progress_;

  MigrationReport report_;
  MovedTable moved_;
  WallTime began_{};      ///< the first run
  bool goes_on_ = false;  ///< an earlier run has begun
};

/// Puts the place before the text of an error.
Error at(const MigrationEnd& end, Error error);

}  // namespace concerto::tools
