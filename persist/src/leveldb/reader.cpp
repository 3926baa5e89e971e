#include "reader.hpp"

#include <algorithm>
#include <charconv>

#include "../preconditions.hpp"

namespace concerto::persist {
namespace {

/// A read starts over when retention moves or drops what it was reading.
constexpr int attempts_max = 4;
/// What one call of list looks at before it returns what it has.
constexpr std::size_t examined_max = 2000;
constexpr std::size_t groups_max = 20000;
/// A scan of the unfinished takes so many each time it looks through all of them.
constexpr std::size_t scanned_at_once = 65536;

ActiveTrans active_of(const Transaction& trans) {
  ActiveTrans active;
  active.gid = trans.gid;
  active.type = trans.type;
  active.status = trans.status;
  active.parked = trans.parked;
  active.create_time = trans.create_time;
  active.next_cron_time = trans.next_cron_time;
  active.timeout_to_fail = trans.options.timeout_to_fail;
  return active;
}

bool is_nothing(const Chain& chain) {
  return chain.records.empty() && !chain.rest;
}

/// Where a page of `list` begins: before a place in the log, or among the moved transactions
/// before a sequence. As text `<group>.<offset>` or `m.<sequence>`.
struct ListCursor {
  bool in_log = true;
  Place before;
  std::uint64_t sequence = 0;
};

std::string to_text(const ListCursor& cursor) {
  if (!cursor.in_log) return "m." + std::to_string(cursor.sequence);
  return std::to_string(cursor.before.group) + "." + std::to_string(cursor.before.offset);
}

template <class T>
std::optional<T> parse(std::string_view text) {
  T value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ListCursor> parse_text(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == text.npos) return std::nullopt;
  const std::string_view head = text.substr(0, dot), tail = text.substr(dot + 1);
  if (head == "m") {
    const auto sequence = parse<std::uint64_t>(tail);
    if (!sequence) return std::nullopt;
    return ListCursor{false, {}, *sequence};
  }
  const auto group = parse<std::uint64_t>(head);
  const auto offset = parse<std::uint32_t>(tail);
  if (!group || !offset) return std::nullopt;
  return ListCursor{true, {*group, *offset}, 0};
}

Result<ListCursor> parse_cursor(const std::string& position) {
  if (const auto cursor = parse_text(position)) return *cursor;
  return make_error(Errc::invalid_request, "position '" + position + "' is not one of a list");
}

/// Whether a transaction as it was created can match; its status may have changed.
bool can_match(const ListFilter& filter, const Transaction& created) {
  ListFilter lasting = filter;
  lasting.status.reset();
  return matches(lasting, created);
}

}  // namespace

Result<QuickLoad> StoreReader::load_quickly(const Gid& gid) const {
  QuickLoad quick;
  CONCERTO_TRY(const auto found, core_.ledger.find(fingerprint(core_.key, gid.view())));
  if (!found.in_memory) {
    quick.done = found.maybe.empty();
  } else if (!found.chain.rest) {
    quick.done = true;
    if (is_nothing(found.chain)) return quick;
    CONCERTO_TRY(quick.trans, build(found.chain));
  }
  return quick;
}

Result<std::optional<Transaction>> StoreReader::load(const Gid& gid) const {
  core_.probe.disk_reads.fetch_add(1, std::memory_order_relaxed);
  GroupReader groups(core_.segments);
  return load(fingerprint(core_.key, gid.view()), groups);
}

Result<std::optional<Transaction>> StoreReader::load(const Fingerprint& gid,
                                                     GroupReader& groups) const {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    CONCERTO_TRY(auto found, core_.ledger.find(gid));
    for (const auto& segment : found.maybe) {
      CONCERTO_TRY(const auto places, segment->find_finished(gid));
      if (!places) continue;
      found.chain.rest = places->last;
      break;
    }
    if (is_nothing(found.chain)) return std::optional<Transaction>{};
    const Result<> whole = complete(found.chain, groups);
    if (!whole && whole.error().code == Errc::trans_not_found) continue;
    CONCERTO_CHECK(whole);
    CONCERTO_TRY(Transaction trans, build(found.chain));
    return std::optional{std::move(trans)};
  }
  return std::optional<Transaction>{};
}

Result<ActivePage> StoreReader::scan_active(std::uint64_t from, std::size_t limit) {
  const std::lock_guard lock(scan_mutex_);
  if (from == 0) {
    scan_.clear();
    scan_end_ = core_.ledger.last_sequence();
  }
  auto at = std::lower_bound(
      scan_.begin(), scan_.end(), from,
      [](const Ledger::ActiveRef& ref, std::uint64_t sequence) { return ref.sequence < sequence; });
  ActivePage page;
  GroupReader groups(core_.segments);
  for (;; ++at) {
    if (at == scan_.end()) {
      const std::uint64_t next = scan_.empty() ? from : std::max(from, scan_.back().sequence + 1);
      scan_ = core_.ledger.active_refs(next, scan_end_, scanned_at_once);
      if (scan_.empty()) return page;
      at = scan_.begin();
    }
    if (page.transactions.size() == std::max<std::size_t>(limit, 1)) {
      page.next = at->sequence;
      return page;
    }
    const auto gid = core_.ledger.fingerprint_of(*at);
    if (!gid) continue;
    CONCERTO_TRY(const auto trans, load(*gid, groups));
    if (trans && !is_final(trans->status)) page.transactions.push_back(active_of(*trans));
  }
}

/// One call of list: fills a page and moves its cursor.
class StoreReader::Listing {
 public:
  Listing(const StoreReader& reader, const ListFilter& filter, std::size_t limit)
      : reader_(reader),
        core_(reader.core_),
        groups_(core_.segments),
        filter_(filter),
        limit_(std::max<std::size_t>(limit, 1)) {}

  Result<TransPage> run(ListCursor cursor) {
    const auto oldest = core_.segments.all().front();
    while (cursor.in_log && !full()) {
      if (cursor.before.group < oldest->first_group()) {
        cursor.in_log = false;
        cursor.sequence = core_.ledger.with_lock([&] { return oldest->state.first_sequence; });
        break;
      }
      const Result<> listed = list_group(cursor);
      if (!listed && listed.error().code == Errc::trans_not_found) {
        cursor.before = Place{};  // retention has just dropped it and what is before it
        continue;
      }
      CONCERTO_CHECK(listed);
    }
    bool more = true;
    while (!cursor.in_log && more && !full()) {
      CONCERTO_TRY(more, list_moved(cursor));
    }
    if (more) page_.next_position = to_text(cursor);
    return std::move(page_);
  }

 private:
  bool full() const {
    return page_.transactions.size() >= limit_ || examined_ >= examined_max ||
           groups_read_ >= groups_max;
  }

  /// Looks at the submit records of the cursor's group, newest first.
  Result<> list_group(ListCursor& cursor) {
    ++groups_read_;
    const std::uint64_t group = cursor.before.group;
    CONCERTO_TRY(const auto bytes, groups_.read(group));
    std::vector<std::uint32_t> submits;
    std::size_t at = first_record(*bytes).value_or(bytes->size());
    while (at < std::min<std::size_t>(bytes->size(), cursor.before.offset)) {
      const auto offset = static_cast<std::uint32_t>(at);
      const auto record = read_record(*bytes, at);
      if (!record)
        return make_error(Errc::store_damaged,
                          "group " + std::to_string(group) + " does not pass its checks");
      if (record->kind == RecordKind::submit) submits.push_back(offset);
    }
    for (; !submits.empty() && !full(); submits.pop_back()) {
      cursor.before.offset = submits.back();
      CONCERTO_CHECK(list_submit(Place{group, submits.back()}));
    }
    if (submits.empty()) cursor.before = Place{group - 1, UINT32_MAX};
    return ok();
  }

  Result<> list_submit(const Place& place) {
    CONCERTO_TRY(const ChainRecord submit, groups_.record_at(place));
    const auto created = decode_transaction(submit.record.payload);
    if (!created) return make_error(Errc::store_damaged, "a submit record is malformed");
    ++examined_;
    if (!can_match(filter_, *created)) return ok();
    return show(fingerprint(core_.key, created->gid.view()));
  }

  /// Looks at some of the moved ones; false when there are no more.
  Result<bool> list_moved(ListCursor& cursor) {
    const auto refs = core_.ledger.moved_refs(cursor.sequence, limit_);
    for (const Ledger::MovedRef& ref : refs) {
      if (full()) return true;
      ++examined_;
      cursor.sequence = ref.sequence;
      CONCERTO_CHECK(show(ref.fingerprint));
    }
    return refs.size() == limit_;
  }

  Result<> show(const Fingerprint& gid) {
    CONCERTO_TRY(const auto trans, reader_.load(gid, groups_));
    if (trans && matches(filter_, *trans)) {
      page_.transactions.push_back(without_branches(*trans));
    }
    return ok();
  }

  const StoreReader& reader_;
  StoreCore& core_;
  GroupReader groups_;
  const ListFilter& filter_;
  const std::size_t limit_;
  TransPage page_;
  std::size_t examined_ = 0;
  std::size_t groups_read_ = 0;
};

Result<TransPage> StoreReader::list(const ListFilter& filter, const std::string& position,
                                    std::size_t limit) const {
  ListCursor cursor;
  cursor.before = {core_.ledger.durable_group(), UINT32_MAX};
  if (!position.empty()) {
    const Place newest = cursor.before;
    CONCERTO_TRY(cursor, parse_cursor(position));
    cursor.before = std::min(cursor.before, newest);
  }
  return Listing(*this, filter, limit).run(cursor);
}

}  // namespace concerto::persist
