#include "migration.hpp"

#include <charconv>
#include <set>
#include <utility>

#include <concerto/base/counted.hpp>

namespace concerto::tools {
namespace {

/// So many problems are told; the others are counted.
constexpr std::size_t problems_told_max = 20;
/// `find_kv` need not show more.
constexpr std::size_t records_max = 100'000;

std::string quoted(const Gid& gid) {
  return "'" + gid.str() + "'";
}

/// The record in the target: when the first run began, in nanoseconds, and from where it copies.
KvRecord begun_record(const MigrationEnd& source, WallTime began) {
  KvRecord record;
  record.cat = migration_category;
  record.key = migration_key;
  record.value = std::to_string(began.time_since_epoch().count()) + " " + source.place;
  record.create_time = record.update_time = began;
  return record;
}

}  // namespace

Error at(const MigrationEnd& end, Error error) {
  error.detail = end.place + ": " + error.detail;
  return error;
}

bool Migration::refuse(std::string problem) {
  report_.end = MigrationReport::End::refused;
  report_.problems.push_back(std::move(problem));
  return false;
}

/// Why something in the target may differ from what the source has. After an interruption the
/// source is the likely one: it is not known what it had when the earlier run copied it.
std::string Migration::how_it_differs() const {
  if (!goes_on_) return " is there already, and is not the source's";
  return " differs from the source's: the source has changed since an earlier run of this "
         "migration "
         "copied from it, or something has changed the target. Stop whatever works with them, "
         "empty "
         "the target (concertod -r with its configuration) and migrate anew";
}

void Migration::add_problem(std::string problem) {
  report_.end = MigrationReport::End::failed;
  if (report_.problems.size() < problems_told_max) {
    report_.problems.push_back(std::move(problem));
  } else if (report_.problems.size() == problems_told_max) {
    report_.problems.emplace_back("there are more problems");
  }
}

Async<MigrationReport> Migration::run() {
  CONCERTO_CO_TRY(bool goes_on, co_await check_source_is_free());
  if (goes_on) {
    CONCERTO_CO_TRY(goes_on, co_await check_target_is_free());
  }
  if (!goes_on) co_return report_;
  CONCERTO_CO_CHECK(co_await survey_source());
  if (report_.source.count + report_.topics == 0) {
    refuse("there is nothing to copy in " + source_.place);
    co_return report_;
  }
  if (!options_.only_counts) {
    CONCERTO_CO_TRY(goes_on, co_await begin());
    if (!goes_on) co_return report_;
  }
  CONCERTO_CO_TRY(goes_on, co_await copy());
  const bool writes = !options_.only_counts;
  if (goes_on && writes) {
    CONCERTO_CO_TRY(goes_on, co_await copy_records());
  }
  if (goes_on && writes) {
    CONCERTO_CO_CHECK(co_await check());
  }
  check_everything_was_read();
  if (report_.end == MigrationReport::End::done && writes) {
    const Result<> ended = co_await target_.store.delete_kv(migration_category, migration_key);
    if (!ended) co_return at(target_, ended.error());
  }
  co_return report_;
}

Async<> Migration::check() {
  CONCERTO_CO_CHECK(co_await check_target());
  CONCERTO_CO_CHECK(co_await check_source());
  co_return co_await check_records();
}

/// Topics, and whatever else has the form of a record.
Async<std::vector<KvRecord>> Migration::records_of(const MigrationEnd& end) {
  auto found = co_await end.store.find_kv("", "");
  if (!found) co_return at(end, std::move(found).error());
  if (found->size() >= records_max) {
    co_return at(end, make_error(Errc::invalid_request,
                                 "there are too many topics: " + std::to_string(found->size())));
  }
  co_return std::move(*found);
}

Async<> Migration::survey_source() {
  CONCERTO_CO_TRY(const auto records, co_await records_of(source_));
  report_.topics = records.size();
  progress_.begin("counting", 0);
  std::string position;
  do {
    auto page = co_await source_.store.list(ListFilter{}, position, page_transactions);
    if (!page) co_return at(source_, std::move(page).error());
    report_.source.add(position, page->transactions);
    progress_.advance(page->transactions.size());
    position = std::move(page->next_position);
  } while (!position.empty());
  progress_.end();
  co_return ok();
}

Async<bool> Migration::check_source_is_free() {
  CONCERTO_CO_TRY(const auto records, co_await records_of(source_));
  for (const KvRecord& record : records) {
    if (record.cat != migration_category) continue;
    co_return refuse(source_.place + " is the target of a migration that has not ended, from " +
                     source_of_migration(record.value));
  }
  const auto in_work = co_await (*source_.moves).work_of_others();
  if (!in_work) co_return at(source_, in_work.error());
  if (in_work->count == 0) co_return true;
  co_return refuse(source_.place + ": others work on " + counted(in_work->count, "transaction") +
                   ". Stop all coordinators and servers of DTM; what a killed one had "
                   "is free after some seconds");
}

/// Looks for the record of an earlier run, too.
Async<bool> Migration::check_target_is_free() {
  const auto in_work = co_await (*target_.moves).work_of_others();
  if (!in_work) co_return at(target_, in_work.error());
  if (in_work->count > 0) {
    co_return refuse(target_.place + ": others work on " + counted(in_work->count, "transaction") +
                     "; stop the coordinators and servers of DTM");
  }
  CONCERTO_CO_TRY(const auto records, co_await records_of(target_));
  for (const KvRecord& record : records) {
    if (record.cat != migration_category) continue;
    std::int64_t began = 0;
    std::from_chars(record.value.data(), record.value.data() + record.value.size(), began);
    began_ = WallTime{std::chrono::nanoseconds{began}};
    goes_on_ = record.value == begun_record(source_, began_).value;
    if (goes_on_) co_return true;
    co_return refuse(target_.place + " has a migration that has begun, from another place: " +
                     source_of_migration(record.value));
  }
  const auto page = co_await target_.store.list(ListFilter{}, "", 1);
  if (!page) co_return at(target_, page.error());
  if ((page->transactions.empty() && records.empty()) || options_.adds) co_return true;
  co_return refuse(target_.place +
                   " is not empty. With --add, transactions and topics are added "
                   "to those that it has");
}

Async<bool> Migration::begin() {
  options_.begins();
  if (goes_on_) co_return true;
  began_ = clock_.wall_now();
  const Result<> begun = co_await target_.store.create_kv(begun_record(source_, began_));
  if (!begun && begun.error().code != EngineErrc::key_exists) co_return at(target_, begun.error());
  if (!begun) co_return refuse(target_.place + ": another migration has begun at this moment");
  // Two names of one server are not seen in what names the stores.
  const auto there = co_await source_.store.find_kv(migration_category, migration_key);
  if (!there) co_return at(source_, there.error());
  if (there->empty()) co_return true;
  const Result<> taken_back = co_await target_.store.delete_kv(migration_category, migration_key);
  if (!taken_back) co_return at(target_, taken_back.error());
  co_return refuse(source_.place + " and " + target_.place + " are the same store");
}

Async<bool> Migration::copy_records() {
  CONCERTO_CO_TRY(const auto records, co_await records_of(source_));
  for (const KvRecord& record : records) {
    const KvRecord kept = (*target_.moves).as_kept(record);
    const Result<> created = co_await target_.store.create_kv(record);
    if (created) continue;
    if (created.error().code != EngineErrc::key_exists) co_return at(target_, created.error());
    const auto there = co_await target_.store.find_kv(record.cat, record.key);
    if (!there) co_return at(target_, there.error());
    if (there->size() == 1 && there->front() == kept) continue;
    add_problem("'" + record.key + "' of the category '" + record.cat + "' in " + target_.place +
                how_it_differs());
    co_return false;
  }
  co_return true;
}

/// Reads everything that the target has.
Async<> Migration::check_target() {
  progress_.begin("checking the target", report_.source.count);
  std::size_t others = 0;
  std::string position;
  do {
    auto page = co_await read_whole_page(target_.store, position);
    if (!page) co_return at(target_, std::move(page).error());
    for (const Transaction& trans : page->transactions) {
      MovedTable::Entry* const entry = moved_.find(trans.gid);
      if (entry == nullptr) {
        if (!options_.adds && others++ == 0) {
          add_problem(target_.place + " has " + quoted(trans.gid) + ", which the source lacks" +
                      (goes_on_ ? " now" : ""));
        }
        continue;
      }
      entry->seen_in_target = true;
      if (checksum(trans, Waits::counts) == entry->in_target) continue;
      add_problem(
          quoted(trans.gid) + " in " + target_.place +
          (goes_on_ ? how_it_differs() : " is not what was copied: something has changed it"));
    }
    progress_.advance(page->transactions.size());
    position = std::move(page->next_position);
  } while (!position.empty());
  progress_.end();
  co_return ok();
}

/// Reads the source again: it must have stood still, and all of it must be in the target.
Async<> Migration::check_source() {
  progress_.begin("checking the source", report_.source.count);
  std::string position;
  do {
    auto page = co_await read_whole_page(source_.store, position);
    if (!page) co_return at(source_, std::move(page).error());
    for (const Transaction& trans : page->transactions) {
      MovedTable::Entry* const entry = moved_.find(trans.gid);
      if (entry == nullptr) {
        add_problem("the source did not stand still: " + quoted(trans.gid) + " is new");
        continue;
      }
      entry->seen_in_source = true;
      if (checksum(trans, Waits::ignored) != entry->in_source) {
        add_problem("the source did not stand still: " + quoted(trans.gid) + " has changed");
      }
      if (!entry->seen_in_target) {
        add_problem(quoted(trans.gid) + " is missing in " + target_.place);
      }
    }
    progress_.advance(page->transactions.size());
    position = std::move(page->next_position);
  } while (!position.empty());
  progress_.end();
  std::size_t gone = 0;
  for (const auto& [gid, entry] : moved_) {
    if (entry.seen_in_source) continue;
    ++(source_.expires && entry.is_finished ? report_.expired : gone);
  }
  if (gone > 0) {
    add_problem("the source did not stand still: " + counted(gone, "transaction") +
                (gone == 1 ? " is gone" : " are gone"));
  }
  const auto in_work = co_await (*source_.moves).work_of_others();
  if (!in_work) co_return at(source_, in_work.error());
  if (in_work->count > 0) {
    add_problem("the source did not stand still: others work on " +
                counted(in_work->count, "transaction"));
  }
  co_return ok();
}

void Migration::check_everything_was_read() {
  const std::size_t errors = source_.errors();
  if (errors == 0) return;
  add_problem(source_.place + " has logged " + counted(errors, "error") +
              ", see above: what it cannot read is not copied");
}

Async<> Migration::check_records() {
  CONCERTO_CO_TRY(const auto in_source, co_await records_of(source_));
  CONCERTO_CO_TRY(const auto in_target, co_await records_of(target_));
  if (in_source.size() != report_.topics) {
    add_problem("the source did not stand still: it has " + counted(in_source.size(), "topic") +
                " now");
  }
  std::set<std::uint64_t> there;
  for (const KvRecord& record : in_target) there.insert(checksum(record));
  for (const KvRecord& record : in_source) {
    if (there.contains(checksum((*target_.moves).as_kept(record)))) continue;
    add_problem("'" + record.key + "' in category '" + record.cat + "' is not in " + target_.place +
                " as it is in the source");
  }
  co_return ok();
}

}  // namespace concerto::tools
