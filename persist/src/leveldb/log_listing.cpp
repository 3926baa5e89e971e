// Transactions of any status: the log is walked backwards, from submit record to submit record.

#include "log_listing.hpp"

#include <algorithm>
#include <vector>

#include "../preconditions.hpp"
#include "reader.hpp"

namespace concerto::persist {
namespace {

/// Groups that one step reads; many groups have no submit record.
constexpr std::size_t groups_per_step = 1000;

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

std::optional<ListCursor> parse_text(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == text.npos) return std::nullopt;
  const std::string_view head = text.substr(0, dot), tail = text.substr(dot + 1);
  if (head == "m") {
    const auto sequence = parse_number<std::uint64_t>(tail);
    if (!sequence) return std::nullopt;
    return ListCursor{false, {}, *sequence};
  }
  const auto group = parse_number<std::uint64_t>(head);
  const auto offset = parse_number<std::uint32_t>(tail);
  if (!group || !offset) return std::nullopt;
  return ListCursor{true, {*group, *offset}, 0};
}

class LogListing final : public Listing {
 public:
  LogListing(const StoreReader& reader, StoreCore& core, ListFilter filter, std::size_t limit,
             ListCursor cursor)
      : Listing(reader, core, std::move(filter), limit), cursor_(cursor) {}

  Result<bool> step() override {
    examined_ = groups_read_ = 0;
    const auto oldest = core_.segments.all().front();
    while (cursor_.in_log && !pauses()) {
      if (cursor_.before.group < oldest->first_group()) {
        cursor_.in_log = false;
        cursor_.sequence = oldest->first_sequence();
        break;
      }
      const Result<> listed = list_group();
      if (!listed && listed.error().code == EngineErrc::trans_not_found) {
        cursor_.before = Place{};  // retention has dropped the group and all before it
        continue;
      }
      CONCERTO_CHECK(listed);
    }
    bool more = true;
    while (!cursor_.in_log && more && !pauses()) {
      CONCERTO_TRY(more, list_moved());
    }
    if (more && is_full()) page_.next_position = to_text(cursor_);
    return !more || is_full();
  }

 private:
  /// Whether the page is full or the step has done its part.
  bool pauses() const {
    return is_full() || examined_ >= examined_per_step || groups_read_ >= groups_per_step;
  }

  /// Looks at the submit records of the cursor's group, newest first.
  Result<> list_group() {
    ++groups_read_;
    const std::uint64_t group = cursor_.before.group;
    CONCERTO_TRY(const auto bytes, groups_.read(group));
    std::vector<std::uint32_t> submits;
    std::size_t at = first_record(*bytes).value_or(bytes->size());
    while (at < std::min<std::size_t>(bytes->size(), cursor_.before.offset)) {
      const auto offset = static_cast<std::uint32_t>(at);
      const auto record = read_record(*bytes, at);
      if (!record) {
        return make_error(EngineErrc::store_damaged,
                          "group " + std::to_string(group) + " does not pass its checks");
      }
      if (record->kind == RecordKind::submit) submits.push_back(offset);
    }
    for (; !submits.empty() && !pauses(); submits.pop_back()) {
      cursor_.before.offset = submits.back();
      CONCERTO_CHECK(list_submit(Place{group, submits.back()}));
    }
    if (submits.empty()) cursor_.before = Place{group - 1, UINT32_MAX};
    return ok();
  }

  Result<> list_submit(const Place& place) {
    CONCERTO_TRY(const ChainRecord submit, groups_.record_at(place));
    const auto created = decode_transaction(submit.record.payload);
    if (!created) return make_error(EngineErrc::store_damaged, "a submit record is malformed");
    ++examined_;
    if (!fits_as_created(filter_, *created)) return ok();
    return show(fingerprint(core_.key, created->gid.view()));
  }

  /// Looks at some of the moved transactions. False if there are no more.
  Result<bool> list_moved() {
    const auto refs = core_.ledger.moved_refs(cursor_.sequence, limit_);
    for (const Ledger::MovedRef& ref : refs) {
      if (pauses()) return true;
      ++examined_;
      cursor_.sequence = ref.sequence;
      CONCERTO_CHECK(show(ref.fingerprint));
    }
    return refs.size() == limit_;
  }

  ListCursor cursor_;
  std::size_t examined_ = 0;
  std::size_t groups_read_ = 0;
};

}  // namespace

Result<std::unique_ptr<Listing>> begin_log_listing(const StoreReader& reader, StoreCore& core,
                                                   ListFilter filter, const std::string& position,
                                                   std::size_t limit) {
  ListCursor cursor;
  cursor.before = {core.ledger.durable_group(), UINT32_MAX};
  if (!position.empty()) {
    const auto given = parse_text(position);
    if (!given) return foreign_position(position);
    const Place newest = cursor.before;
    cursor = *given;
    cursor.before = std::min(cursor.before, newest);
  }
  return std::unique_ptr<Listing>(
      std::make_unique<LogListing>(reader, core, std::move(filter), limit, cursor));
}

}  // namespace concerto::persist
