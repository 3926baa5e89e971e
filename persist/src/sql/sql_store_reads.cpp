#include <algorithm>
#include <limits>
#include <utility>

#include "../preconditions.hpp"
#include "owner_column.hpp"
#include "sql_store_calls.hpp"

namespace concerto::persist {
namespace {

constexpr std::size_t rows_at_once_max = 1000;
constexpr std::size_t kv_rows_max = 100'000;

/// Who has the lease of an unfinished transaction; empty: nobody.
std::string_view lease_of(const StoredTrans& stored, std::string_view this_node) {
  const auto status = trans_status_from(stored.row.status);
  const bool rests = holder_of(stored.row.owner, this_node) == Holder::nobody;
  if (!status || is_final(*status) || rests || stored.is_due || !stored.row.next_cron_time) {
    return {};
  }
  return stored.row.owner;
}

KvRecord record_of(const RowClock& clock, KvRow row) {
  KvRecord record;
  record.cat = std::move(row.cat);
  record.key = std::move(row.key);
  record.value = std::move(row.value);
  record.version = row.version;
  record.create_time = clock.from_row(row.create_time);
  record.update_time = clock.from_row(row.update_time);
  return record;
}

KvRow row_of(const RowClock& clock, const KvRecord& record) {
  KvRow row;
  row.cat = record.cat;
  row.key = record.key;
  row.value = record.value;
  row.version = record.version;
  row.create_time = clock.to_row(record.create_time);
  row.update_time = clock.to_row(record.update_time);
  return row;
}

std::string name(const std::string& cat, const std::string& key) {
  return "'" + key + "' in category '" + cat + "'";
}

Result<> check_kv(const KvRecord& record) {
  if (fits_column(record.cat, name_chars_max) && fits_column(record.key, id_chars_max) &&
      fits_column(record.value, std::numeric_limits<std::size_t>::max())) {
    return ok();
  }
  return make_error(Errc::invalid_request,
                    name(record.cat, record.key) + " does not fit into this store's columns");
}

/// The bounds and names of a filter as the rows have them.
ListRows rows_of(const ListFilter& filter, const RowClock& clock) {
  ListRows rows;
  for (const TransStatus status :
       {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting, TransStatus::succeed,
        TransStatus::failed}) {
    if (filter.statuses.contains(status)) rows.statuses.emplace_back(to_string(status));
  }
  if (filter.type) rows.trans_type = trans_type_text(*filter.type);
  if (filter.created_from) {
    rows.created_from = clock.to_row_not_earlier(*filter.created_from);
  }
  if (filter.created_to) rows.created_to = clock.to_row_not_later(*filter.created_to);
  rows.with_branches = static_cast<bool>(filter.accepts);
  return rows;
}

}  // namespace

Async<std::optional<Transaction>> SqlStore::load(Gid gid) {
  co_return co_await on_shard(io_.get_executor(), load_here(gid.str()));
}

Async<std::optional<Transaction>> SqlStore::load_here(std::string gid) {
  if (!fits_column(gid, id_chars_max)) co_return std::optional<Transaction>{};
  CONCERTO_CO_CHECK(co_await lanes_.settle(gid));
  CONCERTO_CO_TRY(std::optional<StoredTrans> found, co_await loads_.read(gid));
  if (!found) {
    damaged_.is_sound(gid);
    co_return std::optional<Transaction>{};
  }
  CONCERTO_CO_TRY(Transaction trans, read(std::move(*found)));
  co_return std::optional<Transaction>(std::move(trans));
}

Async<std::vector<StoredTrans>> SqlStore::load_rows(std::vector<ClaimRow> rows) {
  std::vector<std::string> gids;
  gids.reserve(rows.size());
  for (ClaimRow& row : rows) gids.push_back(std::move(row.gid));
  const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
      [&gids](SqlConnection& connection) { return connection.load(gids); };
  co_return co_await on_connection(call);
}

Async<UnfinishedPage> SqlStore::scan_unfinished(std::uint64_t from, std::size_t limit) {
  const std::size_t wanted = std::max<std::size_t>(limit, 1);
  const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
      [from, wanted](SqlConnection& connection) {
        return connection.scan_unfinished(static_cast<std::int64_t>(from), wanted + 1);
      };
  CONCERTO_CO_TRY(std::vector<StoredTrans> found,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  UnfinishedPage page;
  if (found.size() > wanted) {
    page.next = static_cast<std::uint64_t>(found.back().row.id);
    found.pop_back();
  }
  std::vector<std::string> damaged;
  for (const Transaction& trans : read_all(std::move(found), Extent::without_branches, damaged)) {
    page.transactions.push_back(unfinished_of(trans));
  }
  co_return page;
}

/// Notes a transaction that cannot be read, and one that can be read again.
Result<Transaction> SqlStore::read(StoredTrans stored, Extent extent) {
  const std::string gid = stored.row.gid;
  Result<Transaction> trans = reader().read(std::move(stored));
  if (!trans) return damaged_.trans(gid, trans.error().detail);
  if (extent == Extent::whole) damaged_.is_sound(gid);
  return trans;
}

/// Transactions whose rows cannot be read are left out; `damaged` gets their gids.
std::vector<Transaction> SqlStore::read_all(std::vector<StoredTrans> stored, Extent extent,
                                            std::vector<std::string>& damaged) {
  std::vector<Transaction> transactions;
  transactions.reserve(stored.size());
  for (StoredTrans& one : stored) {
    std::string gid = one.row.gid;
    Result<Transaction> trans = read(std::move(one), extent);
    if (trans) {
      transactions.push_back(std::move(*trans));
    } else {
      damaged.push_back(std::move(gid));
    }
  }
  return transactions;
}

Async<TransPage> SqlStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(const auto before, parse_position(position));
  constexpr std::uint64_t id_max = std::numeric_limits<std::int64_t>::max();
  if (before && *before > id_max) co_return foreign_position(position);
  ListRows rows = rows_of(filter, row_clock_);
  if (before) rows.before = static_cast<std::int64_t>(*before);
  const std::size_t wanted = std::max<std::size_t>(limit, 1);
  co_return co_await on_shard(io_.get_executor(),
                              list_here(std::move(filter), std::move(rows), wanted));
}

Async<TransPage> SqlStore::list_here(ListFilter filter, ListRows rows, std::size_t limit) {
  rows.limit = std::min(limit, rows_at_once_max) + 1;
  TransPage page;
  std::size_t bytes = 0;
  for (;;) {
    const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
        [&rows](SqlConnection& connection) { return connection.list(rows); };
    CONCERTO_CO_TRY(std::vector<StoredTrans> found, co_await on_connection(call));
    for (StoredTrans& stored : found) {
      const std::int64_t id = stored.row.id;
      const std::string owner =
          filter.accepts_owner ? std::string(lease_of(stored, options_.node)) : std::string();
      Result<Transaction> trans =
          read(std::move(stored), rows.with_branches ? Extent::whole : Extent::without_branches);
      const bool shown = trans && (!filter.accepts_owner || filter.accepts_owner(owner)) &&
                         (!filter.accepts || filter.accepts(*trans));
      if (shown && (page.transactions.size() == limit || bytes >= page_bytes_max)) {
        // Where the page ends: the next one begins with this row.
        page.next_position = std::to_string(id + 1);
        co_return page;
      }
      rows.before = id;
      if (!shown) continue;
      page.transactions.push_back(without_branches(*trans));
      bytes += listed_bytes(page.transactions.back());
    }
    if (found.size() < rows.limit) co_return page;
    // Few rows are accepted: fewer and larger reads find them sooner.
    rows.limit = std::min(2 * rows.limit, rows_at_once_max + 1);
  }
}

Async<std::vector<KvRecord>> SqlStore::find_kv(std::string cat, std::string key) {
  const std::function<Async<std::vector<KvRow>>(SqlConnection&)> call =
      [cat, key](SqlConnection& connection) {
        return connection.find_kv(cat, key, "", kv_rows_max);
      };
  CONCERTO_CO_TRY(std::vector<KvRow> found,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  std::vector<KvRecord> records;
  for (KvRow& row : found) records.push_back(record_of(row_clock_, std::move(row)));
  co_return records;
}

Async<KvPage> SqlStore::scan_kv(std::string cat, std::string position, std::size_t limit) {
  const std::size_t wanted = std::clamp<std::size_t>(limit, 1, rows_at_once_max);
  const std::function<Async<std::vector<KvRow>>(SqlConnection&)> call =
      [cat, position, wanted](SqlConnection& connection) {
        return connection.find_kv(cat, "", position, wanted + 1);
      };
  CONCERTO_CO_TRY(std::vector<KvRow> found,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  KvPage page;
  std::size_t bytes = 0;
  for (KvRow& row : found) {
    if (page.records.size() == wanted || bytes >= page_bytes_max) {
      page.next_position = page.records.back().key;
      break;
    }
    bytes += row.value.size();
    page.records.push_back(record_of(row_clock_, std::move(row)));
  }
  co_return page;
}

KvRecord SqlStore::as_kept(const KvRecord& record) const {
  return record_of(row_clock_, row_of(row_clock_, record));
}

Async<> SqlStore::create_kv(KvRecord record) {
  CONCERTO_CO_CHECK(check_kv(record));
  const std::function<Async<bool>(SqlConnection&)> call =
      [row = row_of(row_clock_, record)](SqlConnection& connection) {
        return connection.create_kv(row);
      };
  CONCERTO_CO_TRY(const bool created,
                  co_await on_shard(io_.get_executor(), on_connection(call, Repeat::no)));
  if (created) co_return ok();
  co_return make_error(EngineErrc::key_exists, name(record.cat, record.key) + " exists already");
}

Async<> SqlStore::update_kv(KvRecord record) {
  CONCERTO_CO_CHECK(check_kv(record));
  const std::function<Async<bool>(SqlConnection&)> call =
      [row = row_of(row_clock_, record)](SqlConnection& connection) {
        return connection.update_kv(row);
      };
  CONCERTO_CO_TRY(const bool updated,
                  co_await on_shard(io_.get_executor(), on_connection(call, Repeat::no)));
  if (updated) co_return ok();
  co_return make_error(
      EngineErrc::key_not_found,
      "no " + name(record.cat, record.key) + " with version " + std::to_string(record.version));
}

Async<> SqlStore::delete_kv(std::string cat, std::string key) {
  const std::function<Async<bool>(SqlConnection&)> call = [cat, key](SqlConnection& connection) {
    return connection.delete_kv(cat, key);
  };
  CONCERTO_CO_TRY(const bool deleted,
                  co_await on_shard(io_.get_executor(), on_connection(call, Repeat::no)));
  if (deleted) co_return ok();
  co_return make_error(EngineErrc::key_not_found, "no " + name(cat, key));
}

}  // namespace concerto::persist
